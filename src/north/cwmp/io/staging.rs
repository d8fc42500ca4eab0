//! Firmware on its way to the installer: verified as it comes, kept in the
//! data folder, handed over as a path.
//!
//! The installer is named by whoever owns the host, in the file `installer` of
//! the data folder, an argument a line: a setting of the tree must not run
//! programs. No shell reads it. `%file%` is the image. That it is installed is
//! the file `firmware/installed`: made here once the installer has ended well,
//! or by an installer that starts the unit again itself.

use crate::north::cwmp::fault::Code;
use crate::north::cwmp::transfers::{Failure, Image};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// What firmware needs of the device.
pub struct Firmware {
    /// The public key of the profile, as PEM; None: no image is taken.
    pub key: Option<Vec<u8>>,
    /// The data folder.
    pub home: PathBuf,
    /// Held while the installer runs, which outlives the service.
    pub at_work: Mutex<()>,
}

/// An image that is coming; what is not staged in the end is not kept.
pub(super) struct Staging {
    image: Option<Image>,
    file: File,
    coming: PathBuf,
    staged: PathBuf,
    taken: u64,
}

impl Firmware {
    /// Makes room for an image.
    pub(super) fn stage(&self) -> Result<Staging, Failure> {
        let Some(key) = &self.key else {
            return Err(denied(
                "the profile has no firmware.pem to judge an image by",
            ));
        };
        let image = Image::new(key)?;
        arguments(&self.home)?;
        let folder = self.folder();
        fs::create_dir_all(&folder).map_err(on_disk)?;
        // That the last image was installed says nothing of this one.
        remove(&self.mark()).map_err(on_disk)?;
        let coming = folder.join("coming");
        Ok(Staging {
            image: Some(image),
            file: File::create(&coming).map_err(on_disk)?,
            coming,
            staged: folder.join("image"),
            taken: 0,
        })
    }

    /// Runs the installer on the staged image; blocks until it has ended.
    pub(super) fn install(&self) -> Result<(), Failure> {
        let _at_work = self.begin();
        let outcome = self.run();
        // Where the mark cannot be kept, only a power cut just now asks for it.
        let _ = match &outcome {
            Ok(()) => File::create(self.mark()).and_then(|mark| mark.sync_all()),
            Err(_) => remove(&self.mark()),
        };
        let _ = sync(&self.folder());
        outcome
    }

    /// Whether the installer was done when the unit stopped; waits for one that
    /// still runs, since only the service has stopped.
    pub(super) fn recall(&self) -> Result<(), Failure> {
        let _at_work = self.begin();
        match self.mark().exists() {
            true => Ok(()),
            false => Err(failed(
                "the unit stopped while the installer ran, which has not said that it was done",
            )),
        }
    }

    fn begin(&self) -> MutexGuard<'_, ()> {
        // It guards no data that could be broken.
        self.at_work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn folder(&self) -> PathBuf {
        self.home.join("firmware")
    }

    fn mark(&self) -> PathBuf {
        self.folder().join("installed")
    }

    fn run(&self) -> Result<(), Failure> {
        let staged = self.folder().join("image");
        let arguments = arguments(&self.home)?;
        let path = staged.display().to_string();
        let mut words = arguments.iter().map(|word| word.replace("%file%", &path));
        let program = words.next().unwrap_or_default();
        let mut child = Command::new(program)
            .args(words)
            .current_dir(&self.home)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .map_err(|error| failed(&format!("the installer does not start: {error}")))?;
        let until = Instant::now() + PATIENCE;
        loop {
            match child.try_wait() {
                Ok(Some(status)) if status.success() => return Ok(()),
                Ok(Some(status)) => return Err(failed(&format!("the installer ended: {status}"))),
                Ok(None) if Instant::now() < until => sleep(LOOK),
                Ok(None) => {
                    // It is over either way.
                    let _ = child.kill();
                    let _ = child.wait();
                    return Err(failed("the installer took too long"));
                }
                Err(error) => return Err(failed(&format!("the installer is lost: {error}"))),
            }
        }
    }
}

impl Staging {
    pub(super) fn take(&mut self, octets: &[u8]) -> Result<(), Failure> {
        let Some(image) = &mut self.image else {
            return Ok(());
        };
        let part = image.received(octets)?;
        self.taken += part.len() as u64;
        if self.taken > LARGEST {
            return Err(failed("the image is too large"));
        }
        self.file.write_all(part).map_err(on_disk)
    }

    /// The image is whole: it is staged if it is signed by the key.
    pub(super) fn finish(mut self) -> Result<(), Failure> {
        self.image.take().map_or(Ok(()), Image::finish)?;
        self.file.sync_all().map_err(on_disk)?;
        fs::rename(&self.coming, &self.staged).map_err(on_disk)?;
        self.staged.parent().map_or(Ok(()), sync).map_err(on_disk)
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // Staged, it has another name.
        let _ = fs::remove_file(&self.coming);
    }
}

/// The words of the installer.
fn arguments(home: &Path) -> Result<Vec<String>, Failure> {
    let text = fs::read_to_string(home.join("installer"))
        .map_err(|_| denied("no installer is named in the data folder"))?;
    let words: Vec<String> = text
        .lines()
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect();
    match words.first() {
        Some(program) if program.starts_with('/') => Ok(words),
        _ => Err(denied("the installer is no absolute path")),
    }
}

/// Removes a file, if there is one.
fn remove(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// What was made, renamed and removed in a folder is so also after a power cut.
fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn denied(why: &str) -> Failure {
    Failure::new(Code::RequestDenied, why)
}

fn failed(why: &str) -> Failure {
    Failure::new(Code::TransferFailed, why)
}

fn on_disk(error: io::Error) -> Failure {
    failed(&format!("the image cannot be kept: {error}"))
}

/// Octets of an image.
const LARGEST: u64 = 1 << 30;
/// For the installer.
const PATIENCE: Duration = Duration::from_secs(900);
const LOOK: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use super::*;

    /// A data folder whose installer is this shell script; it goes with this.
    struct Home(Firmware);

    impl Home {
        fn new(name: &str, installer: &str) -> Self {
            let home = format!("demarc-staging-{name}-{}", std::process::id());
            let home = std::env::temp_dir().join(home);
            fs::create_dir_all(home.join("firmware")).expect("a folder");
            let words = format!("/bin/sh\n-c\n{installer}\n");
            fs::write(home.join("installer"), words).expect("written");
            Self(Firmware {
                key: None,
                home,
                at_work: Mutex::default(),
            })
        }
    }

    impl Drop for Home {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0.home).expect("removed");
        }
    }

    #[test]
    fn an_image_is_installed_once_the_installer_has_ended_well() {
        let home = Home::new("well", "true");
        assert!(home.0.recall().is_err());
        home.0.install().expect("installed");
        home.0.recall().expect("installed");
    }

    #[test]
    fn an_installer_that_is_cut_off_has_installed_only_what_it_says_itself() {
        // What a power cut leaves of an installer that has not said anything.
        let home = Home::new("cut", "touch firmware/installed");
        let why = home.0.recall().expect_err("nothing was said");
        assert_eq!(why.fault().code, 9010);
        home.0.run().expect("it runs");
        home.0.recall().expect("it has said so");
    }

    #[test]
    fn an_installer_that_fails_takes_back_what_it_said() {
        let home = Home::new("back", "touch firmware/installed; exit 1");
        home.0.install().expect_err("it failed");
        assert!(home.0.recall().is_err());
    }
}
