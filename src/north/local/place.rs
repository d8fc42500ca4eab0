//! Where the socket of a data folder lies.
//!
//! A Unix socket's path has room for about a hundred octets, so that of a
//! deep folder lies in the runtime folder, and a file in the data folder
//! names it. Device and command line both begin with the real path of the
//! folder: they may have been told it in different words.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// The socket's name in the data folder.
pub const SOCKET: &str = "demarc.sock";
/// The file that names a socket elsewhere.
pub const SOCKET_PATH: &str = "socket-path";

/// The longest path of a socket, in octets; the system's bound is 107 on Linux, 103 elsewhere.
const LONGEST: usize = 100;

/// The socket in the folder itself, if its path is short enough.
pub fn beside(folder: &Path) -> Option<PathBuf> {
    let path = folder.join(SOCKET);
    fits(&path).then_some(path)
}

/// The socket in the runtime folder, told apart by the data folder's path.
pub fn apart(folder: &Path, runtime: &Path) -> Option<PathBuf> {
    let mut hasher = DefaultHasher::new();
    folder.hash(&mut hasher);
    let path = runtime.join(format!("demarc-{:016x}.sock", hasher.finish()));
    fits(&path).then_some(path)
}

fn fits(path: &Path) -> bool {
    path.as_os_str().as_bytes().len() <= LONGEST
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_over_a_hundred_octets_lies_elsewhere() {
        let folder = |length: usize| PathBuf::from(format!("/{}", "d".repeat(length - 1)));
        let longest = LONGEST - SOCKET.len() - 1;
        assert!(beside(&folder(longest)).is_some());
        assert_eq!(beside(&folder(longest + 1)), None);
        let runtime = Path::new("/run/user/1000");
        let sockets = [longest + 1, longest + 2].map(|length| apart(&folder(length), runtime));
        assert!(sockets[0].is_some());
        assert_ne!(sockets[0], sockets[1]);
        assert_eq!(apart(&folder(5), &folder(90)), None);
    }
}
