//! An ACS that costs little: answers are made beforehand, and what comes back
//! is read by its Content-Length and not understood.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

/// Listens before the device starts.
pub(crate) struct Acs(TcpListener);

/// A device that waits for an answer.
pub(crate) struct Session {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Acs {
    pub(crate) fn new() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").expect("a free port"))
    }

    /// What the device has to be told.
    pub(crate) fn settings(&self) -> [String; 2] {
        let address = self.0.local_addr().expect("bound");
        [
            "Cwmp.AcsUrlConfigSource=static".to_owned(),
            format!("Cwmp.AcsStaticUrl=http://{address}/"),
        ]
    }

    /// Takes an Inform, and waits until the device has nothing more to say.
    pub(crate) fn session(&self) -> Session {
        let (stream, _) = self.0.accept().expect("the device calls");
        stream.set_nodelay(true).expect("a switch");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time");
        let mut session = Session {
            stream,
            buffer: vec![0; 1 << 16],
        };
        session.take(&mut Vec::new());
        session.ask(
            "<C:InformResponse><MaxEnvelopes>1</MaxEnvelopes></C:InformResponse>",
            &mut Vec::new(),
        );
        session
    }
}

impl Session {
    /// Microseconds from sending an answer until the next request is here, which `said` gets.
    pub(crate) fn ask(&mut self, body: &str, said: &mut Vec<u8>) -> f64 {
        let answer = answer(body);
        let started = Instant::now();
        self.stream.write_all(&answer).expect("the device reads");
        said.clear();
        self.take(said);
        started.elapsed().as_secs_f64() * 1e6
    }

    /// A request; its body.
    fn take(&mut self, body: &mut Vec<u8>) {
        let mut head = Vec::new();
        let end = loop {
            let length = self.stream.read(&mut self.buffer).expect("a request");
            assert!(length > 0, "the device has hung up");
            head.extend_from_slice(&self.buffer[..length]);
            if let Some(at) = head.windows(4).position(|octets| octets == b"\r\n\r\n") {
                break at + 4;
            }
        };
        let text = String::from_utf8_lossy(&head[..end]).to_ascii_lowercase();
        let field = text
            .lines()
            .find_map(|line| line.strip_prefix("content-length:"));
        let length = field.and_then(|value| value.trim().parse::<usize>().ok());
        let length = length.expect("a Content-Length");
        body.extend_from_slice(&head[end..]);
        while body.len() < length {
            let more = self.stream.read(&mut self.buffer).expect("a body");
            assert!(more > 0, "the device has hung up");
            body.extend_from_slice(&self.buffer[..more]);
        }
    }
}

fn answer(body: &str) -> Vec<u8> {
    let envelope = envelope(body);
    let length = envelope.len();
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: {length}\r\n\r\n{envelope}"
    )
    .into_bytes()
}

fn envelope(body: &str) -> String {
    format!(
        "<S:Envelope xmlns:S=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         xmlns:E=\"http://schemas.xmlsoap.org/soap/encoding/\" \
         xmlns:D=\"http://www.w3.org/2001/XMLSchema\" \
         xmlns:I=\"http://www.w3.org/2001/XMLSchema-instance\" \
         xmlns:C=\"urn:dslforum-org:cwmp-1-0\"><S:Header>\
         <C:ID S:mustUnderstand=\"1\">7</C:ID></S:Header><S:Body>{body}</S:Body></S:Envelope>"
    )
}

/// Asks for the values of these parameters.
pub(crate) fn get(names: &[String]) -> String {
    let names: String = names
        .iter()
        .map(|name| format!("<string>{name}</string>"))
        .collect();
    format!("<C:GetParameterValues><ParameterNames>{names}</ParameterNames></C:GetParameterValues>")
}

/// Sets strings.
pub(crate) fn set(values: &[(String, String)]) -> String {
    let entry = |(name, value): &(String, String)| {
        format!(
            "<ParameterValueStruct><Name>{name}</Name><Value I:type=\"D:string\">{value}</Value>\
             </ParameterValueStruct>"
        )
    };
    let count = values.len();
    let values: String = values.iter().map(entry).collect();
    format!(
        "<C:SetParameterValues><ParameterList E:arrayType=\"C:ParameterValueStruct[{count}]\">\
         {values}</ParameterList><ParameterKey>k</ParameterKey></C:SetParameterValues>"
    )
}

const PATIENCE: Duration = Duration::from_secs(20);
