//! An ACS that wants to keep the device busy, and strangers at its door.

use crate::acs::knock;
use crate::bench::acs::{Acs, On, Trick};
use crate::bench::{Device, Folder, eventually, free_tcp_port, free_udp_port};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::{self, sleep};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(60);

fn device(folder: &Folder, url: &str) -> Device {
    let settings = [
        "Cwmp.AcsUrlConfigSource=static".to_owned(),
        format!("Cwmp.AcsStaticUrl={url}"),
        format!("Cwmp.ListeningPort={}", free_tcp_port()),
        format!("SipEp.Gateway[Name=default].Port={}", free_udp_port()),
        // Nothing is tried again while a test looks.
        "Cwmp.RetryMinimumWaitInterval=600".to_owned(),
        "Cwmp.SessionTimeout=30".to_owned(),
    ];
    let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
    Device::start(folder, &settings)
}

fn because(device: &Device, words: &str) {
    eventually(&format!("AcsReason says {words}"), LIMIT, || {
        let reason = device.get("Cwmp.AcsReason");
        reason.contains(words).then_some(())
    });
}

#[test]
fn a_server_that_redirects_for_ever_is_followed_five_times() {
    let folder = Folder::new("bad-acs");
    let acs = Acs::open();
    for _ in 0..100 {
        acs.plays(On::Inform, Trick::Redirect(acs.url()));
    }
    let device = device(&folder, &acs.url());
    because(&device, "redirects more than 5 times");
    assert_eq!(acs.record().len(), 6);
}

#[test]
fn a_cookie_of_a_mebibyte_ends_the_session_and_a_large_one_is_not_kept() {
    let folder = Folder::new("bad-acs");
    let acs = Acs::open();
    let answer = |cookie: usize| {
        let cookie = "c".repeat(cookie);
        let head =
            format!("HTTP/1.1 200 OK\r\nSet-Cookie: a={cookie}\r\nContent-Length: 0\r\n\r\n");
        Trick::Say(head.into_bytes())
    };
    acs.plays(On::Inform, answer(1 << 20));
    let device = device(&folder, &acs.url());
    because(&device, "does not answer as HTTP does");
    acs.plays(On::Inform, answer(32 * 1024));
    let refused = device.cli(&["cwmp", "inform"]);
    assert_eq!(refused.status.code(), Some(1));
    device.done(&["cwmp", "inform"]);
    let kept = acs.record().into_iter().filter_map(|sent| {
        let cookie = sent.field("Cookie").map(str::to_owned);
        cookie.filter(|cookie| cookie.contains("ccc"))
    });
    assert_eq!(kept.count(), 0);
}

#[test]
fn a_server_that_answers_an_octet_a_second_is_given_up_after_the_session_timeout() {
    let folder = Folder::new("bad-acs");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a socket");
    let port = listener.local_addr().expect("bound").port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a device");
            thread::spawn(move || {
                let _ = stream.read(&mut [0; 65_536]);
                let answer = b"HTTP/1.1 200 OK\r\nX-Wait: ".iter();
                for octet in answer.chain(std::iter::repeat(&b'x')) {
                    if stream.write_all(&[*octet]).is_err() {
                        return;
                    }
                    sleep(Duration::from_secs(1));
                }
            });
        }
    });
    let device = device(&folder, &format!("http://127.0.0.1:{port}/"));
    because(&device, "within 30 s (Cwmp.SessionTimeout)");
}

#[test]
fn strangers_who_say_half_a_request_do_not_keep_the_acs_out() {
    let folder = Folder::new("bad-acs");
    let acs = Acs::open();
    let device = device(&folder, &acs.url());
    acs.ended(1);
    let url = device.get("Cwmp.ConnectionRequestUrl");
    let authority = url.split('/').nth(2).expect("an authority");
    let strangers: Vec<TcpStream> = (0..40)
        .map(|_| {
            let mut stream = TcpStream::connect(authority).expect("somebody listens");
            stream.write_all(b"GET / HTTP/1.1\r\nX: ").expect("sent");
            stream
        })
        .collect();
    let [user, password] =
        ["user", "password"].map(|key| device.secret(&format!("acs-connection-request-{key}")));
    eventually("the ACS is welcome", LIMIT, || {
        let welcome = std::panic::catch_unwind(|| knock(&url, &user, &password));
        welcome
            .is_ok_and(|said| said.starts_with("HTTP/1.1 200 "))
            .then_some(())
    });
    acs.ended(2);
    drop(strangers);
}
