//! Calls over streams: the connection of a request carries its answers and what follows.

use demarc::sip::Stack;
use demarc::sip::event::{Input, SocketId};
use demarc::sip::message::{Message, Method, Request};
use demarc::sip::session::{Ending, Event, Fork, LegId, Manner, Order, Refusal};
use demarc::sip::transport::Transport;

use super::super::registrar::Manner as Server;
use super::super::world::{World, host, socket};
use super::desk::{CONTACT, Names, invite, response, text};
use super::{sdp, status};

const OUT: LegId = LegId::Out(1);
const IN: LegId = LegId::In(1);
const SERVER: &str = "198.51.100.1:5060";

/// A gateway of these transports, whose server takes streams.
fn world(transports: &[Transport]) -> World {
    let mut world = World::of(Stack::new([5; 32]).with_calls(Manner::default()));
    world.settings.unit_registrations.clear();
    world.settings.proxy.home_domain_host = host(SERVER);
    world.add_registrar(SERVER, Server::default());
    world.transports("default", transports);
    world.apply();
    world.seconds(1);
    world
}

fn requests(world: &World) -> Vec<(SocketId, Request)> {
    let written = world.written.iter();
    let requests = written.filter_map(|(id, bytes)| match Message::parse(bytes) {
        Ok(Message::Request(request)) => Some((*id, request)),
        _ => None,
    });
    requests.collect()
}

fn written(world: &World) -> Vec<(SocketId, Vec<u8>)> {
    world.written.clone()
}

#[test]
fn a_call_by_the_link_stays_on_it_and_is_not_repeated() {
    let mut world = world(&[Transport::Tcp]);
    world.input(Input::Call(Order::Invite(
        OUT,
        Box::new(invite(Some("offer"))),
    )));
    world.seconds(10);
    let sent = requests(&world);
    assert_eq!(sent.len(), 1);
    let (id, call) = &sent[0];
    assert!(text(&call.headers, "Via").starts_with("SIP/2.0/TCP "));
    let ok = response(call, 200, "there", CONTACT, Some(&sdp("answer")));
    world.data(*id, &ok.to_bytes());
    world.input(Input::Call(Order::HangUp(OUT, None)));
    let sent = requests(&world);
    let methods: Vec<_> = sent.iter().map(|(_, it)| it.method.clone()).collect();
    assert_eq!(methods, [Method::Invite, Method::Ack, Method::Bye]);
    assert!(sent.iter().all(|(other, _)| other == id));
}

#[test]
fn a_call_of_a_peer_is_answered_and_ended_on_its_own_connection() {
    let mut world = world(&[Transport::Udp, Transport::Tcp]);
    let id = world.accept(Transport::Tcp, socket("203.0.113.5:40000"));
    let names = Names::new("a");
    let call = names.text("INVITE", "TCP", Some("offer"));
    // RFC 3261 §18.3: in pieces.
    let (one, two) = call.split_at(200);
    world.data(id, one);
    world.data(id, two);
    world.input(Input::Call(Order::Accept(IN, Some(sdp("answer")))));
    let answers = written(&world);
    assert!(answers.iter().all(|(other, _)| *other == id));
    let Ok(Message::Response(ok)) = Message::parse(&answers[answers.len() - 1].1) else {
        panic!("no 200");
    };
    let mut names = names;
    names.learn(&ok);
    world.data(id, &names.text("ACK", "TCP", None));
    assert_eq!(world.heard.last(), Some(&Event::Confirmed(IN, None)));
    world.input(Input::Call(Order::HangUp(IN, None)));
    let sent = requests(&world);
    assert_eq!(sent.len(), 1);
    assert_eq!((sent[0].0, &sent[0].1.method), (id, &Method::Bye));
}

#[test]
fn a_call_whose_connection_breaks_before_the_answer_is_refused_with_503() {
    let mut world = world(&[Transport::Tcp]);
    world.input(Input::Call(Order::Invite(
        OUT,
        Box::new(invite(Some("offer"))),
    )));
    world.reset_streams();
    // RFC 3261 §8.1.3.1.
    let refusal = Refusal::of(status(503));
    assert_eq!(world.heard, [Event::Refused(OUT, refusal)]);
}

#[test]
fn a_call_survives_its_connection_and_is_ended_by_the_next() {
    let mut world = world(&[Transport::Tcp]);
    world.input(Input::Call(Order::Invite(
        OUT,
        Box::new(invite(Some("offer"))),
    )));
    let (id, call) = requests(&world).remove(0);
    let ok = response(&call, 200, "there", CONTACT, Some(&sdp("answer")));
    world.data(id, &ok.to_bytes());
    world.reset_streams();
    world.seconds(120);
    world.input(Input::Call(Order::HangUp(OUT, None)));
    let sent = requests(&world);
    let (other, bye) = sent.last().expect("BYE");
    assert_eq!(bye.method, Method::Bye);
    assert_ne!(*other, id);
}

#[test]
fn a_connection_that_breaks_during_an_offer_refuses_the_offer_and_leaves_the_call() {
    let mut world = world(&[Transport::Tcp]);
    world.input(Input::Call(Order::Invite(
        OUT,
        Box::new(invite(Some("offer"))),
    )));
    let (id, call) = requests(&world).remove(0);
    let ok = response(&call, 200, "there", CONTACT, Some(&sdp("answer")));
    world.data(id, &ok.to_bytes());
    world.input(Input::Call(Order::Offer(OUT, sdp("hold"))));
    world.reset_streams();
    let refusal = Refusal::of(status(503));
    let refused = Event::OfferRefused(OUT, Fork(0), refusal);
    assert_eq!(world.heard.last(), Some(&refused));
    world.seconds(120);
    world.input(Input::Call(Order::Offer(OUT, sdp("hold"))));
    let (other, again) = requests(&world).pop().expect("re-INVITE");
    assert_eq!(again.body, b"hold");
    assert_ne!(other, id);
}

#[test]
fn an_invite_that_is_too_large_for_a_datagram_waits_for_a_stream() {
    let mut world = world(&[Transport::Udp, Transport::Tcp]);
    let large = "x".repeat(1300);
    world.input(Input::Call(Order::Invite(
        OUT,
        Box::new(invite(Some(&large))),
    )));
    world.seconds(2);
    let sent = requests(&world);
    assert_eq!(sent.len(), 1);
    let call = &sent[0].1;
    // RFC 3261 §18.1.1.
    assert!(text(&call.headers, "Via").starts_with("SIP/2.0/TCP "));
    assert!(!world.sources.iter().any(|_| true), "nothing by UDP");
}

#[test]
fn a_gateway_whose_link_is_down_refuses_at_once_and_says_why() {
    let mut world = world(&[Transport::Tcp]);
    world.registrars[0].manner.is_dead = true;
    world.reset_streams();
    world.seconds(5);
    world.heard.clear();
    world.input(Input::Call(Order::Invite(
        OUT,
        Box::new(invite(Some("offer"))),
    )));
    let [Event::Refused(OUT, refusal)] = world.heard.as_slice() else {
        panic!("{:?}", world.heard);
    };
    assert_eq!(refusal.status, status(503));
    assert!(!refusal.phrase.is_empty());
}

#[test]
fn a_stack_that_stops_hangs_up_first() {
    let mut world = world(&[Transport::Tcp]);
    world.input(Input::Call(Order::Invite(
        OUT,
        Box::new(invite(Some("offer"))),
    )));
    let (id, call) = requests(&world).remove(0);
    let ok = response(&call, 200, "there", CONTACT, Some(&sdp("answer")));
    world.data(id, &ok.to_bytes());
    world.input(Input::Shutdown);
    let (_, bye) = requests(&world).pop().expect("BYE");
    assert_eq!(bye.method, Method::Bye);
    assert!(!world.is_done);
    let ok = response(&bye, 200, "there", "", None);
    world.data(id, &ok.to_bytes());
    assert!(world.is_done);
}

#[test]
fn a_call_goes_on_when_the_gateways_transport_changes() {
    let mut world = world(&[Transport::Udp, Transport::Tcp]);
    world.input(Input::Call(Order::Invite(
        OUT,
        Box::new(invite(Some("offer"))),
    )));
    let sent = world.octets.last().cloned().expect("INVITE");
    let Ok(Message::Request(call)) = Message::parse(&sent) else {
        panic!("no INVITE");
    };
    let ok = response(&call, 200, "there", CONTACT, Some(&sdp("answer")));
    world.datagram(socket(SERVER), ok.to_bytes());
    world.transports("default", &[Transport::Tcp]);
    world.apply();
    world.seconds(60);
    assert_eq!(world.heard.len(), 1, "{:?}", world.heard);
    world.input(Input::Call(Order::HangUp(OUT, None)));
    let (_, bye) = requests(&world).pop().expect("BYE by TCP");
    assert_eq!(bye.method, Method::Bye);
    assert!(text(&bye.headers, "Via").starts_with("SIP/2.0/TCP "));
}

#[test]
fn the_calls_of_a_gateway_that_is_deleted_are_ended() {
    let mut world = world(&[Transport::Tcp]);
    world.input(Input::Call(Order::Invite(
        OUT,
        Box::new(invite(Some("offer"))),
    )));
    let (id, call) = requests(&world).remove(0);
    let ok = response(&call, 200, "there", CONTACT, Some(&sdp("answer")));
    world.data(id, &ok.to_bytes());
    world.settings.gateways.clear();
    world.apply();
    let ended = Event::Ended(OUT, Ending::Stopped);
    assert_eq!(world.heard.last(), Some(&ended));
    let (_, bye) = requests(&world).pop().expect("BYE");
    assert_eq!(bye.method, Method::Bye);
}
