//! Where a call comes from or goes to.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// Where a call comes from or goes to, written with a prefix for its kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// `sip-NAME`: a gateway.
    Gateway(String),
    /// `fxs-NAME`: a line.
    Line(String),
    /// `hunt-NAME`: a hunt.
    Hunt(String),
    /// `route-NAME`: the routes that have it as their source.
    Route(String),
}

/// A text that names no place.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0:?} is none of sip-, fxs-, hunt- and route- with a name behind it")]
pub struct PlaceFault(String);

impl FromStr for Place {
    type Err = PlaceFault;

    fn from_str(text: &str) -> Result<Self, PlaceFault> {
        let fault = || PlaceFault(text.to_owned());
        let (kind, name) = text.split_once('-').ok_or_else(fault)?;
        let name = name.to_owned();
        match kind {
            _ if name.is_empty() => Err(fault()),
            "sip" => Ok(Self::Gateway(name)),
            "fxs" => Ok(Self::Line(name)),
            "hunt" => Ok(Self::Hunt(name)),
            "route" => Ok(Self::Route(name)),
            _ => Err(fault()),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gateway(name) => write!(f, "sip-{name}"),
            Self::Line(name) => write!(f, "fxs-{name}"),
            Self::Hunt(name) => write!(f, "hunt-{name}"),
            Self::Route(name) => write!(f, "route-{name}"),
        }
    }
}
