//! Who wants something of the tree.

use std::fmt;

/// Who asks, by which face, from where, with what rights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The face it came by.
    pub face: Face,
    /// The user's name.
    pub user: String,
    /// Where the request came from, or "".
    pub address: String,
    /// What it may change.
    pub rights: Rights,
}

/// The faces of the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Face {
    /// An SNMP manager.
    Snmp,
    /// A TR-069 ACS.
    Cwmp,
    /// The web page.
    Web,
    /// A script file.
    Script,
    /// The command line's socket.
    Local,
    /// The device itself: profile, operations, row life.
    Device,
}

/// What an actor may do; the order is from least to most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rights {
    /// Reads.
    Observer,
    /// Changes what runs, not who may enter or what is trusted.
    User,
    /// Changes everything that is writable.
    Admin,
    /// Also makes rows that come with the device.
    Device,
}

impl Actor {
    /// The device itself.
    pub fn device() -> Self {
        Self {
            face: Face::Device,
            user: "device".to_owned(),
            address: String::new(),
            rights: Rights::Device,
        }
    }

    /// The user at the command line: who can open the socket owns the device.
    pub fn local() -> Self {
        Self {
            face: Face::Local,
            user: "admin".to_owned(),
            address: String::new(),
            rights: Rights::Admin,
        }
    }
}

impl Rights {
    /// Whether objects of a service may be written.
    pub fn may_write(self, service: &str) -> bool {
        const GUARDED: [&str; 3] = ["Aaa", "Cert", "Snmp"];
        match self {
            Self::Observer => false,
            Self::User => !GUARDED.contains(&service),
            Self::Admin | Self::Device => true,
        }
    }
}

impl Face {
    const ALL: [Self; 6] = [
        Self::Snmp,
        Self::Cwmp,
        Self::Web,
        Self::Script,
        Self::Local,
        Self::Device,
    ];

    /// Its number in the journal, from 1.
    pub fn number(self) -> u8 {
        let place = Self::ALL.iter().position(|face| *face == self);
        place
            .and_then(|place| u8::try_from(place + 1).ok())
            .unwrap_or_default()
    }

    /// The face of a number in the journal; a number that is none is the device's.
    pub fn from_number(number: u8) -> Self {
        let place = usize::from(number).wrapping_sub(1);
        Self::ALL.get(place).copied().unwrap_or(Self::Device)
    }

    /// One word, as logs and the audit table show it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Snmp => "snmp",
            Self::Cwmp => "cwmp",
            Self::Web => "web",
            Self::Script => "script",
            Self::Local => "local",
            Self::Device => "device",
        }
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} by {}", self.user, self.face.word())?;
        if !self.address.is_empty() {
            write!(f, " from {}", self.address)?;
        }
        Ok(())
    }
}
