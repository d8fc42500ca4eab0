//! The line to the ACS: one message goes out, one comes back.
//!
//! Holds the connection and the HTTP side of the session that runs. Every
//! message has its time; nothing that was answered is ever sent again.

use super::super::client::{Input, Post, Trouble};
use super::super::exchange::{Account, Exchange, Head, Next};
use super::super::session::Heard;
use super::super::settings::Model;
use super::Around;
use super::body::Content;
use super::connection::{Connection, Cut, Fields, other, silent};
use crate::certs::{Level, Url};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::{HeaderMap, Response, header};
use openssl::rand::rand_bytes;
use std::fmt::Write;
use std::net::IpAddr;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout;

/// What the line is told.
pub(super) enum Order {
    /// Post this and bring back what comes.
    Post(Box<Posting>),
    /// The session is over.
    Close,
}

/// A post and all that it takes.
pub(super) struct Posting {
    pub(super) post: Post,
    pub(super) terms: Terms,
    pub(super) model: Model,
}

/// What a session is held by; as it began, so it goes on.
pub(super) struct Terms {
    pub(super) account: Account,
    pub(super) level: Level,
    /// The address that the ACS is called from; None: as the host's routes say.
    pub(super) from: Option<IpAddr>,
    /// How long an answer may take.
    pub(super) patience: Duration,
}

/// The line; see the head of the file.
pub(super) struct Line {
    around: Around,
    session: Option<Held>,
}

/// The HTTP side of the session that runs.
struct Held {
    exchange: Exchange,
    terms: Terms,
    connection: Option<Connection>,
    /// Messages that were sent.
    messages: u32,
}

impl Line {
    pub(super) fn new(around: Around) -> Self {
        Self {
            around,
            session: None,
        }
    }

    /// Serves one order after the other.
    pub(super) async fn run(
        mut self,
        mut orders: mpsc::Receiver<Order>,
        send: mpsc::Sender<Input>,
    ) {
        while let Some(order) = orders.recv().await {
            let input = match order {
                Order::Close => {
                    self.session = None;
                    continue;
                }
                Order::Post(posting) => match self.post(*posting).await {
                    Ok(heard) => Input::Heard(heard),
                    Err(trouble) => Input::Failed(trouble),
                },
            };
            if send.send(input).await.is_err() {
                return;
            }
        }
    }

    async fn post(&mut self, posting: Posting) -> Result<Heard, Trouble> {
        let Posting { post, terms, model } = posting;
        if post.first {
            self.session = None;
        }
        let held = match &mut self.session {
            Some(held) => held,
            none => none.insert(Held::new(&post.url, terms)?),
        };
        let content = Content::of(post.body, &model).await;
        let content = content.map_err(|error| other(error.to_string()))?;
        let patience = held.terms.patience;
        match timeout(patience, held.exchange(&content, &self.around)).await {
            Ok(heard) => heard,
            Err(_) => Err(silent(&format!(
                "the ACS has not answered within {} s (Cwmp.SessionTimeout)",
                patience.as_secs()
            ))),
        }
    }
}

impl Held {
    fn new(url: &str, terms: Terms) -> Result<Self, Trouble> {
        let url =
            Url::parse(url).map_err(|error| other(format!("{error}: see Cwmp.AcsStaticUrl")))?;
        Ok(Self {
            exchange: Exchange::new(url, terms.account.clone()),
            terms,
            connection: None,
            messages: 0,
        })
    }

    /// One message until there is an answer that is none of HTTP's own.
    async fn exchange(&mut self, content: &Content, around: &Around) -> Result<Heard, Trouble> {
        self.messages += 1;
        if self.messages > MOST_MESSAGES {
            return Err(other(format!(
                "the ACS does not end the session after {MOST_MESSAGES} messages"
            )));
        }
        self.exchange.begins();
        let mut cuts = 0;
        loop {
            let fields = Fields {
                cookie: self.exchange.cookie(),
                authorization: self.exchange.authorization(&nonce()?),
            };
            let url = self.exchange.url().clone();
            let connection = self.connected(&url, around).await?;
            let response = match connection.ask(&url, fields, content).await {
                Ok(response) => response,
                Err(Cut::Failed(trouble)) => return Err(trouble),
                Err(Cut::Before) => {
                    // The server may have closed just when the message went out.
                    self.connection = None;
                    cuts += 1;
                    if cuts > MOST_CUTS {
                        return Err(silent("the ACS closes the connection without an answer"));
                    }
                    continue;
                }
            };
            match self.exchange.answered(&head(&response)) {
                Next::Body => return heard(response).await,
                Next::Again => {
                    if !drained(response).await {
                        self.connection = None;
                    }
                }
                Next::Elsewhere => self.connection = None,
                Next::Failed(trouble) => return Err(trouble),
            }
        }
    }

    async fn connected(&mut self, url: &Url, around: &Around) -> Result<&mut Connection, Trouble> {
        let known = match self.connection.take() {
            Some(mut known) => known.stands().await.then_some(known),
            None => None,
        };
        let connection = match known {
            Some(known) => known,
            None => Connection::open(url, self.terms.level, self.terms.from, around).await?,
        };
        Ok(self.connection.insert(connection))
    }
}

fn head(response: &Response<Incoming>) -> Head {
    let fields = response.headers();
    let retry_after = texts(fields, &header::RETRY_AFTER);
    Head {
        status: response.status().as_u16(),
        cookies: texts(fields, &header::SET_COOKIE),
        challenges: texts(fields, &header::WWW_AUTHENTICATE),
        location: texts(fields, &header::LOCATION).into_iter().next(),
        retry_after: retry_after
            .first()
            .and_then(|text| text.trim().parse().ok()),
    }
}

fn texts(fields: &HeaderMap, name: &header::HeaderName) -> Vec<String> {
    let values = fields.get_all(name).iter();
    values
        .filter_map(|value| Some(value.to_str().ok()?.to_owned()))
        .collect()
}

async fn heard(response: Response<Incoming>) -> Result<Heard, Trouble> {
    let status = response.status().as_u16();
    let coding = texts(response.headers(), &header::CONTENT_ENCODING);
    if let Some(coding) = coding
        .iter()
        .find(|it| !it.eq_ignore_ascii_case("identity"))
    {
        let coding: String = coding.chars().take(LONGEST_WORD).collect();
        return Err(other(format!(
            "the ACS sends its message as {coding}, which was not asked for"
        )));
    }
    let body = Limited::new(response.into_body(), LARGEST).collect().await;
    let body = body.map_err(|error| {
        other(format!(
            "the ACS's message ends before its end, or is longer than {LARGEST} octets: {error}"
        ))
    })?;
    let octets = Vec::from(body.to_bytes());
    match (octets.is_empty(), status) {
        (false, _) => Ok(Heard::Message(octets)),
        (true, 500) => Err(other("the ACS answered with status 500")),
        (true, _) => Ok(Heard::Nothing),
    }
}

/// Reads what nobody needs, so that the connection can go on; not for ever.
async fn drained(response: Response<Incoming>) -> bool {
    let body = Limited::new(response.into_body(), MOST_DRAINED);
    body.collect().await.is_ok()
}

/// Randomness for a digest, as hexadecimal digits.
pub(super) fn nonce() -> Result<String, Trouble> {
    let mut random = [0; 16];
    rand_bytes(&mut random).map_err(|_| other("the operating system gives no random numbers"))?;
    Ok(random.iter().fold(String::new(), |mut text, octet| {
        // Writing into a String cannot fail.
        let _ = write!(text, "{octet:02x}");
        text
    }))
}

/// Messages of a session: one that never ends keeps everything else waiting.
const MOST_MESSAGES: u32 = 10_000;
/// New connections that one message may need.
const MOST_CUTS: u32 = 1;
/// Octets of an answer.
const LARGEST: usize = 16 << 20;
/// Octets of an answer that only asks for a proof.
const MOST_DRAINED: usize = 64 * 1024;
const LONGEST_WORD: usize = 32;
