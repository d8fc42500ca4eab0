//! STUN messages as a client of binding requests sends and reads them.
//!
//! RFC 5389 with what TR-069 annex G still needs of RFC 3489. Only the method
//! Binding and the attributes that a client has a use for; of others it is
//! told whether they must be understood. Nothing here waits or remembers.
//!
//! ```text
//!  0               16              31
//! |0 0| class, method | length      |   0
//! | magic cookie 0x2112A442         |   4
//! | transaction id, 96 bits         |   8
//! | type | length | value, to 4 ... |  20
//! ```

pub mod integrity;
mod read;
mod write;

use integrity::Key;
use std::net::SocketAddr;

/// Names one request and its answers; from randomness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Id(pub [u8; 12]);

/// A message of the method Binding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// What it is.
    pub class: Class,
    /// Of its request.
    pub id: Id,
    /// Those before MESSAGE-INTEGRITY, in their order.
    pub attributes: Vec<Attribute>,
}

/// RFC 5389 §6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Asks.
    Request,
    /// Asks for nothing.
    Indication,
    /// Answers.
    Success,
    /// Refuses.
    Error,
}

/// An attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attribute {
    /// 0x0001: where the request came from.
    MappedAddress(SocketAddr),
    /// 0x0020: the same, safe from gateways that rewrite addresses.
    XorMappedAddress(SocketAddr),
    /// 0x0002 (RFC 3489 §11.2.2): where the answer is to go.
    ResponseAddress(SocketAddr),
    /// 0x0027 (RFC 5780 §7.5): the port where the answer is to go.
    ResponsePort(u16),
    /// 0x0006
    Username(Vec<u8>),
    /// 0x0014
    Realm(Vec<u8>),
    /// 0x0015
    Nonce(Vec<u8>),
    /// 0x0009: the code, 300..699, and its reason.
    ErrorCode(u16, String),
    /// 0xC001 (TR-069 annex G): this binding is for connection requests.
    ConnectionRequestBinding,
    /// 0xC002 (TR-069 annex G): and it is another than before.
    BindingChange,
    /// One below 0x8000 that is not known here; it must be understood.
    Unknown(u16),
}

/// Why octets are no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Fewer octets than a header.
    #[error("{0} octets are no STUN message")]
    Short(usize),
    /// The first two bits are not zero, or the length is not that of the datagram.
    #[error("the header is none of STUN")]
    Header,
    /// The magic cookie is not there.
    #[error("the magic cookie is missing")]
    Cookie,
    /// Another method than Binding.
    #[error("{0:#06x} is no binding message")]
    Method(u16),
    /// More attributes than any message has.
    #[error("too many attributes")]
    Many,
    /// An attribute ends after the message, or its value is none of its kind.
    #[error("the attribute {0:#06x} is malformed")]
    Attribute(u16),
}

impl Message {
    /// A request with these attributes.
    pub fn request(id: Id, attributes: Vec<Attribute>) -> Self {
        Self {
            class: Class::Request,
            id,
            attributes,
        }
    }

    /// Reads a datagram.
    pub fn parse(octets: &[u8]) -> Result<Self, Fault> {
        read::message(octets)
    }

    /// Writes it, proven where there is a key for it.
    pub fn print(&self, key: Option<&Key>) -> Vec<u8> {
        write::message(self, key)
    }

    /// Where the server saw the request come from.
    pub fn mapped(&self) -> Option<SocketAddr> {
        let found = self.attributes.iter();
        let xored = found.clone().find_map(|attribute| match attribute {
            Attribute::XorMappedAddress(address) => Some(*address),
            _ => None,
        });
        xored.or_else(|| {
            found.clone().find_map(|attribute| match attribute {
                Attribute::MappedAddress(address) => Some(*address),
                _ => None,
            })
        })
    }

    /// The code and the reason of an error.
    pub fn error(&self) -> Option<(u16, &str)> {
        self.attributes
            .iter()
            .find_map(|attribute| match attribute {
                Attribute::ErrorCode(code, reason) => Some((*code, reason.as_str())),
                _ => None,
            })
    }

    /// The realm and the nonce of a challenge.
    pub fn challenge(&self) -> Option<(&[u8], &[u8])> {
        let realm = self.attributes.iter().find_map(|it| match it {
            Attribute::Realm(realm) => Some(realm.as_slice()),
            _ => None,
        });
        let nonce = self.attributes.iter().find_map(|it| match it {
            Attribute::Nonce(nonce) => Some(nonce.as_slice()),
            _ => None,
        });
        realm.zip(nonce)
    }

    /// RFC 5389 §7.3.3: whether there is something that must be understood and is not.
    pub fn is_strange(&self) -> bool {
        let mut attributes = self.attributes.iter();
        attributes.any(|it| matches!(it, Attribute::Unknown(_)))
    }
}

/// The port of STUN servers.
pub const PORT: u16 = 3478;

const HEADER: usize = 20;
const COOKIE: u32 = 0x2112_a442;
const BINDING: u16 = 0x0001;
/// The bits of the class in the type.
const CLASS: u16 = 0x0110;
/// Attributes of a message.
const MOST_ATTRIBUTES: usize = 32;

const MAPPED_ADDRESS: u16 = 0x0001;
const RESPONSE_ADDRESS: u16 = 0x0002;
const USERNAME: u16 = 0x0006;
const MESSAGE_INTEGRITY: u16 = 0x0008;
const ERROR_CODE: u16 = 0x0009;
const REALM: u16 = 0x0014;
const NONCE: u16 = 0x0015;
const XOR_MAPPED_ADDRESS: u16 = 0x0020;
const RESPONSE_PORT: u16 = 0x0027;
const CONNECTION_REQUEST_BINDING: u16 = 0xc001;
const BINDING_CHANGE: u16 = 0xc002;
/// Below it an attribute must be understood.
const OPTIONAL: u16 = 0x8000;
/// The value of CONNECTION-REQUEST-BINDING, with its last space.
const BINDING_OF: &[u8; 20] = b"dslforum.org/TR-111 ";

#[cfg(test)]
mod tests {
    use super::*;

    fn octets(hex: &str) -> Vec<u8> {
        let digits: Vec<u32> = hex.chars().filter_map(|digit| digit.to_digit(16)).collect();
        let pairs = digits.chunks(2);
        pairs
            .map(|pair| u8::try_from(pair[0] * 16 + pair[1]).expect("an octet"))
            .collect()
    }

    /// RFC 5769 §2.2.
    const IPV4: &str = "0101003c 2112a442 b7e7a701bc34d686fa87dfae
        8022000b 7465737420766563746f7220 00200008 0001a147e112a643
        00080014 2b91f599fd9e90c38c7489f92af9ba53f06be7d7 80280004 c07d4c96";
    /// RFC 5769 §2.3.
    const IPV6: &str = "01010048 2112a442 b7e7a701bc34d686fa87dfae
        8022000b 7465737420766563746f7220
        00200014 0002a1470113a9faa5d3f179bc25f4b5bed2b9d9
        00080014 a382954e4be67bf11784c97c8292c275bfe3ed41 80280004 c8fb0b4c";
    const PASSWORD: &[u8] = b"VOkJxbRl1RmTxUk/WvJxBt";

    #[test]
    fn the_sample_responses_say_where_the_request_came_from() {
        let key = Key::short(PASSWORD, integrity::Form::Plain);
        for (hex, address) in [
            (IPV4, "192.0.2.1:32853"),
            (IPV6, "[2001:db8:1234:5678:11:2233:4455:6677]:32853"),
        ] {
            let octets = octets(hex);
            let message = Message::parse(&octets).expect("a message");
            assert_eq!(message.class, Class::Success);
            assert_eq!(message.mapped(), address.parse().ok());
            assert!(key.proves(&octets));
            assert!(!Key::short(b"another", integrity::Form::Plain).proves(&octets));
        }
    }

    /// RFC 5769 §2.1: attributes of ICE are not known here, and some must be understood.
    #[test]
    fn the_sample_request_with_a_short_term_password_is_proven() {
        let octets = octets(
            "00010058 2112a442 b7e7a701bc34d686fa87dfae
             80220010 5354554e207465737420636c69656e74 00240004 6e0001ff
             80290008 932ff9b151263b36 00060009 6576746a3a68367659202020
             00080014 9aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2 80280004 e57a3bcf",
        );
        assert!(Key::short(PASSWORD, integrity::Form::Plain).proves(&octets));
        assert!(!Key::short(PASSWORD, integrity::Form::Padded).proves(&octets));
        let message = Message::parse(&octets).expect("a message");
        assert!(message.is_strange());
        let user = Attribute::Username(b"evtj:h6vY".to_vec());
        assert!(message.attributes.contains(&user));
    }

    /// RFC 5769 §2.4, octet by octet.
    #[test]
    fn a_request_with_long_term_credentials_is_written_as_the_sample() {
        let user = "\u{30DE}\u{30C8}\u{30EA}\u{30C3}\u{30AF}\u{30B9}".as_bytes();
        let sample = octets(
            "00010060 2112a442 78ad3433c6ad72c029da412e
             00060012 e3839ee38388e383aae38383e382afe382b90000
             0015001c 662f2f3439396b393534643 64f4c33346f4c39465354767936347341
             0014000b 6578616d706c652e6f726700
             00080014 f67024656dd64a3e02b8e0712e85c9a28ca89666",
        );
        let key = Key::long(user, b"example.org", b"TheMatrIX").expect("MD5");
        let message = Message::request(
            Id(*b"\x78\xad\x34\x33\xc6\xad\x72\xc0\x29\xda\x41\x2e"),
            vec![
                Attribute::Username(user.to_vec()),
                Attribute::Nonce(b"f//499k954d6OL34oL9FSTvy64sA".to_vec()),
                Attribute::Realm(b"example.org".to_vec()),
            ],
        );
        assert_eq!(message.print(Some(&key)), sample);
        assert!(key.proves(&sample));
        assert_eq!(Message::parse(&sample), Ok(message));
    }

    /// RFC 3489 §11.2.8: the text is padded to 64 octets before it is hashed.
    #[test]
    fn the_older_form_of_the_proof_is_over_a_padded_text() {
        let attributes = vec![Attribute::Username(b"user".to_vec())];
        let message = Message::request(Id([7; 12]), attributes);
        let key = Key::short(b"secret", integrity::Form::Padded);
        let printed = message.print(Some(&key));
        let mut text = printed[..28].to_vec();
        text.resize(64, 0);
        let expected = crate::wire::hmac::hmac_sha1(b"secret", &text).expect("a key");
        assert_eq!(printed[32..], expected);
        assert!(key.proves(&printed));
    }

    #[test]
    fn the_attributes_of_annex_g_have_their_numbers_and_values() {
        let message = Message::request(
            Id([1; 12]),
            vec![
                Attribute::ConnectionRequestBinding,
                Attribute::BindingChange,
                Attribute::ResponseAddress(([192, 0, 2, 9], 7547).into()),
                Attribute::ResponsePort(7547),
            ],
        );
        let printed = message.print(None);
        let mut expected = octets("00010030 2112a442 010101010101010101010101 c0010014");
        expected.extend(b"dslforum.org/TR-111 ");
        expected.extend(octets(
            "c0020000 00020008 00011d7bc0000209 00270004 1d7b0000",
        ));
        assert_eq!(printed, expected);
        assert_eq!(Message::parse(&printed), Ok(message));
    }

    #[test]
    fn an_error_has_its_code_and_what_is_asked_for() {
        let octets = octets(
            "01110020 2112a442 010101010101010101010101
             00090008 00000401 4e6f2e20 00140005 7265616c6d000000 00150002 6e6e0000",
        );
        let message = Message::parse(&octets).expect("a message");
        assert_eq!(message.error(), Some((401, "No. ")));
        assert_eq!(message.challenge(), Some((&b"realm"[..], &b"nn"[..])));
    }

    #[test]
    fn what_is_no_message_is_refused_with_the_reason() {
        let good = octets(IPV4);
        for length in 0..good.len() {
            assert!(Message::parse(&good[..length]).is_err(), "{length}");
        }
        let with = |at: usize, value: u8| {
            let mut octets = good.clone();
            octets[at] = value;
            Message::parse(&octets)
        };
        assert_eq!(with(0, 0x81), Err(Fault::Header));
        assert_eq!(with(3, 0x3d), Err(Fault::Header));
        assert_eq!(with(4, 0), Err(Fault::Cookie));
        assert_eq!(with(1, 0x02), Err(Fault::Method(0x0102)));
        // XOR-MAPPED-ADDRESS: another length, another family.
        assert_eq!(with(39, 4), Err(Fault::Attribute(0x0020)));
        assert_eq!(with(41, 3), Err(Fault::Attribute(0x0020)));
        let mut many = octets("00010088 2112a442 010101010101010101010101");
        many.extend(octets("80220000").repeat(34));
        assert_eq!(Message::parse(&many), Err(Fault::Many));
    }

    #[test]
    fn what_stands_behind_the_proof_is_not_believed() {
        let mut forged = octets(IPV4);
        let other = Message::request(
            Id([0; 12]),
            vec![Attribute::MappedAddress(([6, 6, 6, 6], 6).into())],
        );
        forged.extend(&other.print(None)[20..]);
        forged[3] += 12;
        let message = Message::parse(&forged).expect("a message");
        assert_eq!(message.attributes.len(), 1);
        assert_eq!(message.mapped(), "192.0.2.1:32853".parse().ok());
    }
}
