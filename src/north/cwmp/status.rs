//! What the TR-069 client shows: Cwmp's status objects and its notices.

use super::client::Image;
use crate::schema::Index;
use crate::schema::cwmp::firmware_image::{self, Status as Running};
use crate::schema::cwmp::{self, AcsStatus, session};
use crate::tree::Publication;
use crate::wire::time::UnixTime;
use std::collections::VecDeque;

/// The client's live leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// `acsStatus`.
    pub state: AcsStatus,
    /// `acsUrl`.
    pub url: String,
    /// `acsReason`: a sentence, with the object to change; "" where all is well.
    pub reason: String,
    /// `lastSessionTime`.
    pub last_session: Option<UnixTime>,
    /// `lastFault`: its code first.
    pub last_fault: String,
    /// `nextInformTime`.
    pub next_inform: Option<UnixTime>,
    /// `retryCount`.
    pub retries: u32,
    /// `rowsNotInUse`: each with the reason.
    pub rows_not_in_use: String,
    /// `firmwareImage`: the one beside the one that runs.
    pub image: Image,
    /// `session`: the last ones, the newest last.
    pub sessions: VecDeque<Record>,
}

/// One session as it is remembered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// `sessionIndex`.
    pub number: u32,
    /// `sessionBegan`.
    pub began: Option<UnixTime>,
    /// `sessionEvents`.
    pub events: String,
    /// `sessionSteps`: who said what, without values.
    pub steps: Vec<String>,
    /// `sessionResult`; "" while it runs.
    pub result: String,
}

/// Sessions that are remembered.
pub(super) const SESSIONS: usize = 16;
/// Steps of a session that are remembered, from its beginning.
pub(super) const STEPS: usize = 100;

impl Status {
    /// Before anything was tried.
    pub(super) fn starting() -> Self {
        Self {
            state: AcsStatus::Starting,
            url: String::new(),
            reason: String::new(),
            last_session: None,
            last_fault: String::new(),
            next_inform: None,
            retries: 0,
            rows_not_in_use: String::new(),
            image: Image::none(),
            sessions: VecDeque::new(),
        }
    }

    /// While the service does not run.
    pub(super) fn stopped() -> Self {
        Self {
            reason: "the service Cwmp is stopped: see Scm.ServiceCommands".to_owned(),
            ..Self::starting()
        }
    }

    /// Publishes all of it.
    pub fn publish(&self, live: &mut Publication<'_>) {
        live.scalar(cwmp::ACS_STATUS, self.state);
        live.scalar(cwmp::ACS_URL, &self.url);
        live.scalar(cwmp::ACS_REASON, &self.reason);
        live.scalar(cwmp::LAST_SESSION_TIME, shown(self.last_session));
        live.scalar(cwmp::LAST_FAULT, &self.last_fault);
        live.scalar(cwmp::NEXT_INFORM_TIME, shown(self.next_inform));
        live.scalar(cwmp::RETRY_COUNT, self.retries);
        let mut rows = self.rows_not_in_use.clone();
        rows.truncate(rows.floor_char_boundary(LONGEST_ROWS));
        live.scalar(cwmp::ROWS_NOT_IN_USE, rows);
        self.publish_images(live);
        live.clear(session::TABLE);
        for record in &self.sessions {
            let index = Index::number(record.number);
            live.set(session::BEGAN, &index, shown(record.began));
            live.set(session::EVENTS, &index, &record.events);
            let mut steps = record.steps.join("\n");
            steps.truncate(steps.floor_char_boundary(LONGEST_STEPS));
            live.set(session::STEPS, &index, &steps);
            live.set(session::RESULT, &index, &record.result);
        }
    }
}

impl Status {
    fn publish_images(&self, live: &mut Publication<'_>) {
        let running = ("demarc", VERSION, Running::Active);
        // What version a file is, its head does not say.
        let other = (self.image.name.as_str(), "", self.image.status);
        for (number, (name, version, status)) in (1..).zip([running, other]) {
            let index = Index::number(number);
            live.set(firmware_image::NAME, &index, name);
            live.set(firmware_image::VERSION, &index, version);
            live.set(firmware_image::STATUS, &index, status);
        }
    }
}

fn shown(time: Option<UnixTime>) -> String {
    time.map_or_else(String::new, |time| time.to_string())
}

/// Of the software that runs.
const VERSION: &str = env!("CARGO_PKG_VERSION");
/// rowsNotInUse holds as much.
const LONGEST_ROWS: usize = 1024;
/// sessionSteps holds as much.
const LONGEST_STEPS: usize = 4096;
