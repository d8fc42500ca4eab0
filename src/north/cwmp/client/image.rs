//! The firmware images as an ACS lists them (TR-181 DeviceInfo.FirmwareImage):
//! the one that runs, and the one that the last Download was for.

use super::super::transfers::{Kind, Transfer, Transfers};
use crate::north::cwmp::fault::Code;
use crate::schema::cwmp::firmware_image::Status;
use crate::schema::cwmp::transfer::State;

/// The image beside the one that runs, as far as this run has seen of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// How far it is.
    pub status: Status,
    /// The name of its file; "" until it is whole.
    pub name: String,
}

impl Image {
    /// None has come.
    pub(in super::super) fn none() -> Self {
        Self {
            status: Status::NoImage,
            name: String::new(),
        }
    }

    /// As the transfers say; what is told and forgotten stays as it was.
    pub(super) fn follow(&mut self, transfers: &Transfers) {
        let mut images = transfers
            .all()
            .filter(|transfer| transfer.is_download() && transfer.kind() == Some(Kind::Firmware));
        if let Some(transfer) = images.next_back() {
            self.status = self.next(transfer);
            self.name = match self.status {
                Status::Available | Status::InstallationFailed => transfer.file_name(),
                _ => String::new(),
            };
        }
    }

    fn next(&self, transfer: &Transfer) -> Status {
        match (transfer.state, transfer.fault.code) {
            (State::Waiting, 0) => Status::NoImage,
            (State::Running, _) => Status::Downloading,
            (State::Installing, _) => Status::Validating,
            (State::Ended, 0) => Status::Available,
            (_, code) if code == Code::TransferFileAuthentication.number() => {
                Status::ValidationFailed
            }
            // It was whole: what failed is the installer.
            _ if matches!(self.status, Status::Validating | Status::InstallationFailed) => {
                Status::InstallationFailed
            }
            _ => Status::DownloadFailed,
        }
    }
}
