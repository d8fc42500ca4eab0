//! The attributes of a fax over UDPTL (ITU-T T.38 annex D).

use std::fmt;

/// One of them. Names are matched in any case, as peers write them in several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fax {
    /// `T38FaxVersion`
    Version(u32),
    /// `T38MaxBitRate`, bits a second.
    MaxBitRate(u32),
    /// `T38FaxRateManagement`
    RateManagement(RateManagement),
    /// `T38FaxMaxBuffer`, octets.
    MaxBuffer(u32),
    /// `T38FaxMaxDatagram`, octets.
    MaxDatagram(u32),
    /// `T38FaxUdpEC`
    UdpCorrection(UdpCorrection),
}

/// Who does the training.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RateManagement {
    /// Each end with its terminal.
    LocalTcf,
    /// The terminals with each other.
    TransferredTcf,
}

/// How a datagram is mended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UdpCorrection {
    /// Not at all.
    None,
    /// By repeating earlier packets.
    Redundancy,
    /// By parity.
    Fec,
}

impl Fax {
    pub(super) fn parse(name: &str, value: &str) -> Option<Self> {
        let value = value.trim();
        let number = || value.parse().ok();
        Some(match name.to_ascii_lowercase().as_str() {
            "t38faxversion" => Self::Version(number()?),
            "t38maxbitrate" => Self::MaxBitRate(number()?),
            "t38faxmaxbuffer" => Self::MaxBuffer(number()?),
            "t38faxmaxdatagram" => Self::MaxDatagram(number()?),
            "t38faxratemanagement" => Self::RateManagement(one_of(&RATES, value)?),
            "t38faxudpec" => Self::UdpCorrection(one_of(&CORRECTIONS, value)?),
            _ => return None,
        })
    }
}

impl fmt::Display for Fax {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version(value) => write!(formatter, "T38FaxVersion:{value}"),
            Self::MaxBitRate(value) => write!(formatter, "T38MaxBitRate:{value}"),
            Self::MaxBuffer(value) => write!(formatter, "T38FaxMaxBuffer:{value}"),
            Self::MaxDatagram(value) => write!(formatter, "T38FaxMaxDatagram:{value}"),
            Self::RateManagement(value) => {
                write!(formatter, "T38FaxRateManagement:{}", word(&RATES, *value))
            }
            Self::UdpCorrection(value) => {
                write!(formatter, "T38FaxUdpEC:{}", word(&CORRECTIONS, *value))
            }
        }
    }
}

fn one_of<T: Copy>(table: &[(T, &str)], text: &str) -> Option<T> {
    let row = table.iter().find(|row| row.1.eq_ignore_ascii_case(text))?;
    Some(row.0)
}

fn word<T: Copy + PartialEq>(table: &[(T, &'static str)], value: T) -> &'static str {
    let row = table.iter().find(|row| row.0 == value);
    row.map_or("", |row| row.1)
}

const RATES: [(RateManagement, &str); 2] = [
    (RateManagement::LocalTcf, "localTCF"),
    (RateManagement::TransferredTcf, "transferredTCF"),
];

const CORRECTIONS: [(UdpCorrection, &str); 3] = [
    (UdpCorrection::Redundancy, "t38UDPRedundancy"),
    (UdpCorrection::Fec, "t38UDPFEC"),
    (UdpCorrection::None, "t38UDPNoEC"),
];
