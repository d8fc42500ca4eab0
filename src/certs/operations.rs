//! The operations that the certificates offer, and their arguments read.
//!
//! Faces invoke them by name; the engine takes them as one more input. What
//! cannot be read is answered with a sentence here.

use super::file_name::FileName;
use super::install::{Place, Store, parse_services};
use super::transfer::Wish;
use crate::tree::{Argument, Invocation, Operation, Rights};

/// Installs a file that comes along.
pub(super) static INSTALL: Operation = Operation {
    name: "Cert.Install",
    arguments: &[FILE_NAME, TYPE, ASSOCIATE, PEM],
    rights: Rights::Admin,
    help: "Installs a certificate file; one of the same name is replaced.",
};

/// Deletes a file.
pub(super) static DELETE: Operation = Operation {
    name: "Cert.Delete",
    arguments: &[FILE_NAME, TYPE],
    rights: Rights::Admin,
    help: "Deletes a certificate file.",
};

/// Fetches a file and installs it.
pub(super) static TRANSFER: Operation = Operation {
    name: "Cert.Transfer",
    arguments: &[
        Argument {
            name: "Url",
            required: true,
            help: "where the file is, by https; by http and file only while that is activated",
        },
        TYPE,
        Argument {
            name: "FileName",
            required: false,
            help: "the name under which it is installed, else the last part of the URL",
        },
        Argument {
            name: "Sha256",
            required: false,
            help: "the SHA-256 digest that the file must have",
        },
        ASSOCIATE,
    ],
    rights: Rights::Admin,
    help: "Fetches a certificate file and installs it.",
};

/// All of them.
pub static ALL: [&Operation; 3] = [&INSTALL, &DELETE, &TRANSFER];

const FILE_NAME: Argument = Argument {
    name: "FileName",
    required: true,
    help: "the name under which the file is kept",
};
const TYPE: Argument = Argument {
    name: "Type",
    required: true,
    help: "host, a certificate with its private key, or other, certificates of others",
};
const ASSOCIATE: Argument = Argument {
    name: "Associate",
    required: false,
    help: "the services that may use a host certificate, separated by commas",
};
const PEM: Argument = Argument {
    name: "Pem",
    required: false,
    help: "the content of the file, where no file comes along",
};

/// What an invocation wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Install this content there.
    Install(Place, Content),
    /// Delete the file there.
    Delete(Place),
    /// Fetch this.
    Transfer(Wish),
}

/// The content of a file, which may be a private key: it is never printed.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Content(pub Vec<u8>);

impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Content({} octets)", self.0.len())
    }
}

impl Wanted {
    /// Reads an invocation of one of [`ALL`].
    ///
    /// # Errors
    /// A sentence that names the argument.
    pub(super) fn read(invocation: &Invocation) -> Result<Self, String> {
        if invocation.operation.name == TRANSFER.name {
            return Ok(Self::Transfer(wish(invocation)?));
        }
        let place = place(invocation)?;
        if invocation.operation.name == DELETE.name {
            return Ok(Self::Delete(place));
        }
        let content = match &invocation.blob {
            Some(blob) => blob.clone(),
            None => invocation.argument("Pem").as_bytes().to_vec(),
        };
        match content.is_empty() {
            true => Err("Cert.Install needs a file, or its content as Pem".to_owned()),
            false => Ok(Self::Install(place, Content(content))),
        }
    }
}

fn wish(invocation: &Invocation) -> Result<Wish, String> {
    let text = |name| invocation.argument(name).to_owned();
    Ok(Wish {
        url: text("Url"),
        store: store(invocation)?,
        file: text("FileName"),
        sha256: text("Sha256"),
        associate: text("Associate"),
    })
}

fn place(invocation: &Invocation) -> Result<Place, String> {
    let file = FileName::parse(invocation.argument("FileName"));
    let services = parse_services(invocation.argument("Associate"));
    Ok(Place {
        store: store(invocation)?,
        file: file.map_err(|bad| format!("FileName: {bad}"))?,
        services: services.map_err(|bad| format!("Associate: {bad}"))?,
    })
}

fn store(invocation: &Invocation) -> Result<Store, String> {
    let text = invocation.argument("Type");
    [Store::Host, Store::Others]
        .into_iter()
        .find(|store| store.to_string().eq_ignore_ascii_case(text))
        .ok_or_else(|| "Type is host or other".to_owned())
}
