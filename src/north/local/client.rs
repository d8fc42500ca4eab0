//! The command line's end of the socket.
//!
//! Finds the device of a data folder, asks, and reads answers until the last.

use super::answer::Answer;
use super::place::{SOCKET_PATH, beside};
use super::request::Request;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::ops::ControlFlow;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

/// A connection to a running device.
pub struct Client {
    stream: BufReader<UnixStream>,
}

/// Why there was no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody listens there.
    #[error("no device runs on {0}")]
    NoDevice(PathBuf),
    /// The socket is another user's, or broken.
    #[error("cannot reach the device on {0}: {1}")]
    Unreachable(PathBuf, io::Error),
    /// The device went away in the middle.
    #[error("the device went away: {0}")]
    Lost(io::Error),
    /// Another version of the software listens there.
    #[error("the device's answer cannot be read: {0}")]
    Unreadable(serde_json::Error),
}

/// The longest line of answer, in octets.
const ANSWER_LIMIT: u64 = 256 << 20;
/// The longest `socket-path` file, in octets.
const PATH_LIMIT: u64 = 4096;

impl Client {
    /// Connects to the device that runs on a data folder.
    pub fn connect(folder: &Path) -> Result<Self, ClientError> {
        let none = || ClientError::NoDevice(folder.to_owned());
        let real = folder.canonicalize().map_err(|_| none())?;
        let socket = match beside(&real) {
            Some(socket) => socket,
            None => named_in(&real).map_err(|_| none())?,
        };
        match UnixStream::connect(socket) {
            Ok(stream) => Ok(Self {
                stream: BufReader::new(stream),
            }),
            Err(error) if is_absence(&error) => Err(none()),
            Err(error) => Err(ClientError::Unreachable(folder.to_owned(), error)),
        }
    }

    /// Asks, and hands over each answer until the last or until told to stop.
    pub fn ask(
        &mut self,
        request: &Request,
        mut each: impl FnMut(Answer) -> ControlFlow<()>,
    ) -> Result<(), ClientError> {
        let mut line = serde_json::to_vec(request).map_err(ClientError::Unreadable)?;
        line.push(b'\n');
        let stream = self.stream.get_mut();
        let sent = stream.write_all(&line);
        loop {
            let (answer, more) = match (&sent, self.answer()) {
                // Who was turned away finds the reason although nobody reads the request.
                (_, Ok(answer)) => answer,
                (Ok(()), Err(error)) => return Err(error),
                (Err(_), Err(_)) => return sent.map_err(ClientError::Lost),
            };
            if each(answer).is_break() || !more {
                return Ok(());
            }
        }
    }

    fn answer(&mut self) -> Result<(Answer, bool), ClientError> {
        let mut line = Vec::new();
        let mut stream = (&mut self.stream).take(ANSWER_LIMIT);
        let count = stream.read_until(b'\n', &mut line);
        if count.map_err(ClientError::Lost)? == 0 {
            let closed = io::ErrorKind::UnexpectedEof.into();
            return Err(ClientError::Lost(closed));
        }
        Answer::read(&line).map_err(ClientError::Unreadable)
    }
}

fn named_in(folder: &Path) -> io::Result<PathBuf> {
    let mut path = Vec::new();
    let file = File::open(folder.join(SOCKET_PATH))?;
    file.take(PATH_LIMIT).read_to_end(&mut path)?;
    let path = path.trim_ascii_end().to_vec();
    Ok(PathBuf::from(OsString::from_vec(path)))
}

fn is_absence(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused | io::ErrorKind::InvalidInput
    )
}
