//! A request for a transfer, judged before it is taken: what is wrong with it
//! is answered at once, what goes wrong later is told by TransferComplete.

use super::super::fault::Code;
use super::kind::Kind;
use super::record::Transfer;
use super::window::Window;
use crate::certs::{FileName, Source, Url, UrlError};
use crate::schema::Secret;
use crate::schema::cwmp::transfer::{Method, State};
use crate::wire::soap::message::{Download, Fault, FaultStruct, TimeWindow, Upload};
use crate::wire::time::UnixTime;
use std::time::Duration;

/// What the ACS wants transferred.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// A file fetched, after so many seconds.
    Download(Download, u32),
    /// A file fetched in one of these windows.
    Schedule(Download, Vec<TimeWindow>),
    /// A file sent.
    Upload(Upload),
}

impl Request {
    /// The transfer that it asks for.
    ///
    /// # Errors
    /// The fault that answers it.
    pub(in super::super) fn plan(self, asked: Option<UnixTime>) -> Result<Transfer, Fault> {
        match self {
            Self::Download(file, delay) => {
                let transfer = fetched(Method::Download, file, asked)?;
                let delay = Duration::from_secs(delay.into());
                Ok(Transfer { delay, ..transfer })
            }
            Self::Schedule(file, windows) => {
                let windows = Window::all(&windows).map_err(invalid)?;
                let transfer = fetched(Method::ScheduleDownload, file, asked)?;
                Ok(Transfer {
                    windows,
                    ..transfer
                })
            }
            Self::Upload(upload) => sent(upload, asked),
        }
    }
}

fn fetched(method: Method, file: Download, asked: Option<UnixTime>) -> Result<Transfer, Fault> {
    let kind = Kind::downloaded(&file.file_type)
        .ok_or_else(|| invalid("files of this type are not taken here"))?;
    let url = judged(&file.url, &file.username, &file.password, &file.command_key)?;
    let named = match file.target_file_name.as_str() {
        "" => url.last_part().unwrap_or_default(),
        name => name.to_owned(),
    };
    if file.target_file_name.len() > LONGEST {
        return Err(invalid("the TargetFileName is too long"));
    }
    // Only certificates are kept by their names.
    if matches!(kind, Kind::HostCertificate | Kind::TrustAnchors)
        && let Err(bad) = FileName::parse(&named)
    {
        return Err(invalid(&format!("TargetFileName: {bad}")));
    }
    Ok(Transfer {
        method,
        command_key: file.command_key,
        file_type: file.file_type,
        url: file.url,
        username: file.username,
        password: Secret::from(file.password.as_bytes()),
        file_size: file.file_size,
        target: file.target_file_name,
        ..blank(method, asked)
    })
}

fn sent(upload: Upload, asked: Option<UnixTime>) -> Result<Transfer, Fault> {
    if Kind::uploaded(&upload.file_type).is_none() {
        return Err(invalid("there is no file of this type here"));
    }
    judged(
        &upload.url,
        &upload.username,
        &upload.password,
        &upload.command_key,
    )?;
    Ok(Transfer {
        command_key: upload.command_key,
        file_type: upload.file_type,
        url: upload.url,
        username: upload.username,
        password: Secret::from(upload.password.as_bytes()),
        delay: Duration::from_secs(upload.delay_seconds.into()),
        ..blank(Method::Upload, asked)
    })
}

fn judged(url: &str, username: &str, password: &str, key: &str) -> Result<Url, Fault> {
    if key.len() > LONGEST_KEY || username.len() > LONGEST || password.len() > LONGEST {
        return Err(invalid("CommandKey, Username or Password is too long"));
    }
    match Url::parse(url) {
        // A.3.2.8: http and https are what has to be there.
        Ok(Url {
            source: Source::File,
            ..
        })
        | Err(UrlError::Scheme) => Err(Code::TransferProtocol.fault("there are http and https")),
        Ok(url) => Ok(url),
        Err(bad) => Err(invalid(&bad.to_string())),
    }
}

/// A transfer of which nothing is known but what asked for it.
pub(super) fn blank(method: Method, asked: Option<UnixTime>) -> Transfer {
    Transfer {
        method,
        command_key: String::new(),
        file_type: String::new(),
        url: String::new(),
        username: String::new(),
        password: Secret::default(),
        file_size: 0,
        target: String::new(),
        asked,
        delay: Duration::ZERO,
        windows: Vec::new(),
        tries: 0,
        state: State::Waiting,
        started: None,
        completed: None,
        fault: FaultStruct::default(),
        version: 0,
    }
}

fn invalid(why: &str) -> Fault {
    Code::InvalidArguments.fault(why)
}

/// cwmp-1-2.xsd: keys have at most 32 characters, names and passwords 256.
const LONGEST_KEY: usize = 32;
const LONGEST: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    fn download(url: &str, file_type: &str, target: &str) -> Result<Transfer, u16> {
        let file = Download {
            command_key: "k".into(),
            file_type: file_type.into(),
            url: url.into(),
            username: String::new(),
            password: String::new(),
            file_size: 0,
            target_file_name: target.into(),
        };
        let planned = Request::Download(file, 5).plan(None);
        planned.map_err(|fault| fault.fault.code)
    }

    #[test]
    fn what_is_wrong_with_a_request_is_answered_with_its_own_code() {
        const SCRIPT: &str = "3 Vendor Configuration File";
        const HOST: &str = "X 0090F8 Certificate";
        let good = download("https://files.example/a.script", SCRIPT, "").expect("taken");
        assert_eq!(good.delay, Duration::from_secs(5));
        for (url, file_type, target, code) in [
            ("https://files.example/a", "2 Web Content", "", 9003),
            ("ftp://files.example/a", SCRIPT, "", 9013),
            ("file:///etc/shadow", SCRIPT, "", 9013),
            ("https://me:pw@files.example/a", SCRIPT, "", 9003),
            ("https://files.example/", HOST, "", 9003),
            ("https://files.example/a", HOST, "../a", 9003),
        ] {
            let refused = download(url, file_type, target).expect_err(url);
            assert_eq!(refused, code, "{url} {file_type} {target}");
        }
    }
}
