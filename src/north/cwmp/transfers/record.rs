//! A transfer as its row of the tree keeps it.

use super::kind::Kind;
use super::window::Window;
use crate::schema::cwmp::transfer::{self as row, Method, State};
use crate::schema::{Enumerated, Index, Name, Secret, Value};
use crate::tree::{Creation, Snapshot, Transaction};
use crate::view;
use crate::wire::soap::message::FaultStruct;
use crate::wire::time::UnixTime;
use std::time::Duration;

view! {
    /// The columns of a transfer.
    struct Kept: cwmp::transfer {
        /// What asked for it.
        method: Method = METHOD,
        /// Of the request.
        command_key: String = COMMAND_KEY,
        /// Of the request.
        file_type: String = FILE_TYPE,
        /// Of the request.
        url: String = URL,
        /// Of the request.
        username: String = USERNAME,
        /// Of the request.
        password: Secret = PASSWORD,
        /// Of the request.
        file_size: u32 = FILE_SIZE,
        /// Of the request.
        target: String = TARGET_FILE_NAME,
        /// When.
        asked: String = ASKED,
        /// Seconds.
        delay: u32 = DELAY,
        /// As text.
        windows: String = WINDOWS,
        /// Begun so often.
        tries: u32 = TRIES,
        /// Where it is.
        state: State = STATE,
        /// When.
        started: String = STARTED,
        /// When.
        completed: String = COMPLETED,
        /// 0: well.
        fault_code: u32 = FAULT_CODE,
        /// In words.
        fault: String = FAULT,
        /// Provisional.
        version: u32 = VERSION,
    }
}

/// A transfer between its request and the moment the ACS has heard how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// What asked for it.
    pub method: Method,
    /// Of the request.
    pub command_key: String,
    /// As the request said it.
    pub file_type: String,
    /// Where from, or where to.
    pub url: String,
    /// For the file server.
    pub username: String,
    /// For the file server.
    pub password: Secret,
    /// Octets; 0: not told.
    pub file_size: u32,
    /// The name that the request gave it.
    pub target: String,
    /// When the request came.
    pub asked: Option<UnixTime>,
    /// Not earlier than so long after.
    pub delay: Duration,
    /// Of a ScheduleDownload.
    pub windows: Vec<Window>,
    /// How often it was begun.
    pub tries: u32,
    /// Where it is.
    pub state: State,
    /// When it last began.
    pub started: Option<UnixTime>,
    /// When it ended.
    pub completed: Option<UnixTime>,
    /// How it ended; code 0: well.
    pub fault: FaultStruct,
    /// The version that it made, until that is confirmed or undone; else 0.
    pub version: u32,
}

impl Transfer {
    /// Every transfer that is kept, by its row.
    pub(super) fn all(snapshot: &Snapshot) -> Vec<(u32, Self)> {
        let rows: Vec<(Index, Kept)> = snapshot.view();
        let rows = rows.into_iter();
        rows.filter_map(|(index, kept)| Some((*index.arcs().first()?, kept.transfer())))
            .collect()
    }

    /// Whether the file comes here.
    #[must_use]
    pub fn is_download(&self) -> bool {
        match self.method {
            Method::Download | Method::ScheduleDownload | Method::Autonomous => true,
            Method::Upload => false,
        }
    }

    /// What its file is; None: what was known to an earlier firmware.
    #[must_use]
    pub fn kind(&self) -> Option<Kind> {
        match self.is_download() {
            true => Kind::downloaded(&self.file_type),
            false => Kind::uploaded(&self.file_type),
        }
    }

    /// Adds what makes its row.
    pub(in super::super) fn make(&self, number: u32, wishes: &mut Transaction) {
        wishes.create(row::TABLE, Index::number(number), Creation::Active);
        self.keep(number, wishes);
    }

    /// Adds what brings its row to what it is now.
    pub(super) fn keep(&self, number: u32, wishes: &mut Transaction) {
        let index = Index::number(number);
        let time = |time: Option<UnixTime>| time.map_or_else(String::new, |it| it.to_string());
        let delay = u32::try_from(self.delay.as_secs()).unwrap_or(u32::MAX);
        for (column, value) in [
            (row::METHOD.id(), Value::Integer(self.method.number())),
            (row::COMMAND_KEY.id(), self.command_key.as_str().into()),
            (row::FILE_TYPE.id(), self.file_type.as_str().into()),
            (row::URL.id(), self.url.as_str().into()),
            (row::USERNAME.id(), self.username.as_str().into()),
            (row::PASSWORD.id(), Value::octets(self.password.expose())),
            (row::FILE_SIZE.id(), Value::Unsigned(self.file_size)),
            (row::TARGET_FILE_NAME.id(), self.target.as_str().into()),
            (row::ASKED.id(), time(self.asked).into()),
            (row::DELAY.id(), Value::Unsigned(delay)),
            (row::WINDOWS.id(), Window::written(&self.windows).into()),
            (row::TRIES.id(), Value::Unsigned(self.tries)),
            (row::STATE.id(), Value::Integer(self.state.number())),
            (row::STARTED.id(), time(self.started).into()),
            (row::COMPLETED.id(), time(self.completed).into()),
            (
                row::FAULT_CODE.id(),
                Value::Unsigned(self.fault.code.into()),
            ),
            (row::FAULT.id(), self.fault.text.as_str().into()),
            (row::VERSION.id(), Value::Unsigned(self.version)),
        ] {
            let index = index.clone();
            wishes.assign(Name { column, index }, value);
        }
    }
}

impl Kept {
    fn transfer(self) -> Transfer {
        Transfer {
            windows: Window::read(&self.windows),
            asked: UnixTime::parse(&self.asked),
            delay: Duration::from_secs(self.delay.into()),
            started: UnixTime::parse(&self.started),
            completed: UnixTime::parse(&self.completed),
            fault: FaultStruct {
                code: u16::try_from(self.fault_code).unwrap_or_default(),
                text: self.fault,
            },
            method: self.method,
            command_key: self.command_key,
            file_type: self.file_type,
            url: self.url,
            username: self.username,
            password: self.password,
            file_size: self.file_size,
            target: self.target,
            tries: self.tries,
            state: self.state,
            version: self.version,
        }
    }
}
