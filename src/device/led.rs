//! The Ready LED as the host has it: a `brightness` file that follows `readyLed`.
//!
//! A thread of its own makes each write, one at a time, so that a driver that
//! hangs holds up nobody. The file must be there already, and the last part of its
//! path must be `brightness`: a setting must not write to anything else.

use crate::schema::{Index, sip_ep};
use crate::tree::{Candidate, Refusal, Tree, Value, messages};
use nix::fcntl::OFlag;
use std::fs::OpenOptions;
use std::io::{Error, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::pin::pin;
use std::time::Duration;
use tokio::sync::{oneshot, watch};
use tokio::time::timeout;

/// How long a driver may take before that is told.
const PATIENCE: Duration = Duration::from_secs(1);

/// What the LED is to show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Led {
    /// The file of `readyLedFile`; empty for none.
    pub(super) file: String,
    /// Whether it is to be on.
    pub(super) on: bool,
}

/// Writes each change, and tells once of a file that does not follow.
pub(super) async fn follow(tree: &Tree, mut led: watch::Receiver<Led>) {
    let mut shown = Led::default();
    let mut complained = String::new();
    while led.wait_for(|it| *it != shown).await.is_ok() {
        let wish = led.borrow_and_update().clone();
        if shown.file != wish.file {
            put_out(&shown.file).await;
        }
        let mut complain = |error: Error| {
            if complained != wish.file {
                tree.notify(&messages::READY_LED_FAILED.with([&wish.file, &error]));
                complained.clone_from(&wish.file);
            }
        };
        let mut writing = pin!(write(&wish.file, wish.on));
        let written = match timeout(PATIENCE, &mut writing).await {
            Ok(written) => written,
            Err(_) => {
                complain(ErrorKind::TimedOut.into());
                writing.await
            }
        };
        match written {
            Ok(()) => complained.clear(),
            Err(error) => complain(error),
        }
        shown = wish.clone();
    }
}

/// A LED that is let go goes out; whether it can is no matter.
pub(super) async fn put_out(file: &str) {
    let _ = timeout(PATIENCE, write(file, false)).await;
}

/// Writing elsewhere than to a LED is refused.
pub(super) fn file_is_a_led(candidate: &Candidate<'_>) -> Vec<Refusal> {
    let (column, index) = (sip_ep::READY_LED_FILE.id(), Index::scalar());
    let file = candidate.after.cell(column, &index);
    let file = file.and_then(Value::as_octets).unwrap_or_default();
    let is_led = str::from_utf8(file).is_ok_and(|it| it.is_empty() || names_a_led(Path::new(it)));
    match is_led {
        true => Vec::new(),
        false => vec![candidate.refuse(column, &index, "it is not an absolute path to brightness")],
    }
}

fn names_a_led(path: &Path) -> bool {
    path.is_absolute() && path.file_name().is_some_and(|it| it == "brightness")
}

/// By a thread that nobody waits for at the end.
async fn write(file: &str, on: bool) -> Result<(), Error> {
    if file.is_empty() {
        return Ok(());
    }
    let (done, written) = oneshot::channel();
    let file = file.to_owned();
    std::thread::Builder::new().spawn(move || {
        // A device that stopped meanwhile does not ask any more.
        let _ = done.send(write_now(Path::new(&file), on));
    })?;
    written
        .await
        .unwrap_or_else(|_| Err(ErrorKind::Other.into()))
}

/// Nothing is made, no link is followed, and a pipe without a reader does not hold it up.
fn write_now(path: &Path, on: bool) -> Result<(), Error> {
    if !names_a_led(path) {
        return Err(ErrorKind::InvalidInput.into());
    }
    let flags = OFlag::O_NONBLOCK | OFlag::O_NOFOLLOW;
    let mut options = OpenOptions::new();
    let options = options
        .write(true)
        .truncate(true)
        .custom_flags(flags.bits());
    let mut file = options.open(path)?;
    if !file.metadata()?.is_file() {
        return Err(ErrorKind::InvalidInput.into());
    }
    file.write_all(if on { b"1" } else { b"0" })
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Folder(std::path::PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("demarc-{name}-{}", std::process::id()));
            std::fs::create_dir_all(&path).expect("a temporary folder");
            Self(path)
        }

        fn brightness(&self) -> String {
            self.0.join("brightness").display().to_string()
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    async fn comes_to(file: &str, text: &str) {
        let comes = async {
            while std::fs::read_to_string(file).expect("it is there") != text {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let patience = Duration::from_secs(10);
        timeout(patience, comes).await.expect(text);
    }

    #[tokio::test]
    async fn the_file_follows_the_led_and_goes_out_when_it_is_let_go() {
        let folder = Folder::new("led");
        let file = folder.brightness();
        std::fs::write(&file, "255\n").expect("a file");
        let tree = Tree::in_memory();
        let (led, wish) = watch::channel(Led::default());
        let following = tokio::spawn(async move { follow(&tree, wish).await });
        led.send_modify(|it| it.file.clone_from(&file));
        comes_to(&file, "0").await;
        led.send_modify(|it| it.on = true);
        comes_to(&file, "1").await;
        led.send_modify(|it| it.file.clear());
        comes_to(&file, "0").await;
        drop(led);
        following.await.expect("it ends with its setting");
    }

    #[tokio::test]
    async fn a_file_that_is_not_there_is_told_once_and_not_made() {
        let folder = Folder::new("no-led");
        let tree = Tree::in_memory();
        let (say, said) = std::sync::mpsc::channel();
        tree.on_notice(move |notice| {
            let _ = say.send(notice.name());
        });
        let (led, wish) = watch::channel(Led::default());
        let following = tokio::spawn(async move { follow(&tree, wish).await });
        led.send_modify(|it| it.file = folder.brightness());
        for _ in 0..3 {
            led.send_modify(|it| it.on = !it.on);
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
        drop(led);
        following.await.expect("it ends with its setting");
        assert_eq!(said.try_iter().collect::<Vec<_>>(), ["1400.180"]);
        assert!(!folder.0.join("brightness").exists());
    }

    #[test]
    fn only_a_brightness_file_is_written() {
        let folder = Folder::new("odd-led");
        let real = folder.0.join("real");
        std::fs::write(&real, "kept").expect("a file");
        let link = folder.0.join("brightness");
        std::os::unix::fs::symlink(&real, &link).expect("a link");
        assert!(write_now(&link, true).is_err());
        assert!(write_now(&real, true).is_err());
        assert_eq!(std::fs::read_to_string(&real).expect("there"), "kept");
        std::fs::remove_file(&link).expect("a link");
        nix::unistd::mkfifo(&link, nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
        assert!(write_now(&link, true).is_err(), "nobody reads it");
    }
}
