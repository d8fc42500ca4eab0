//! The bodies of posts: how long they are, then what they say.
//!
//! TR-069 §3.4.1 wants Content-Length, not chunks. A message is printed
//! whole; an answer of many values is printed twice, first into a sink that
//! only counts, so that it never stands in memory.

use super::super::client::Body as Wanted;
use super::super::model::Selection;
use super::super::settings::Model;
use crate::wire::soap::message::{Header, Namespace};
use crate::wire::soap::print;
use hyper::body::{Body, Bytes, Frame, SizeHint};
use std::convert::Infallible;
use std::io::{self, Write};
use std::mem::take;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

/// What is posted; it can be said more than once, and says the same each time.
#[derive(Clone)]
pub(super) enum Content {
    /// An empty message.
    Nothing,
    /// A message as it is printed.
    Whole(Bytes),
    /// The values of an answer, and how many octets that makes.
    Values(Arc<Plan>, u64),
}

/// An answer that is printed as it is sent.
pub(super) struct Plan {
    namespace: Namespace,
    header: Header,
    selection: Selection,
    model: Model,
}

/// Values that are printed whole.
const FEW: usize = 256;
/// Octets of a chunk, and chunks that wait to be sent.
const CHUNK: usize = 16 * 1024;
const WAITING: usize = 2;

impl Content {
    /// Measures what is to be said.
    pub(super) async fn of(body: Wanted, model: &Model) -> io::Result<Self> {
        match body {
            Wanted::Nothing => Ok(Self::Nothing),
            Wanted::Message(envelope) => {
                let mut octets = Vec::new();
                print(&envelope, &mut octets)?;
                Ok(Self::Whole(octets.into()))
            }
            Wanted::Values {
                namespace,
                header,
                selection,
            } => {
                let plan = Plan {
                    namespace,
                    header,
                    // Between the two printings nothing may change.
                    selection: selection.held(),
                    model: model.clone(),
                };
                plan.measured().await
            }
        }
    }

    /// Whether there is anything to say.
    pub(super) fn is_empty(&self) -> bool {
        matches!(self, Self::Nothing)
    }

    /// The same once more, as it goes over the wire.
    pub(super) fn octets(&self) -> Octets {
        match self {
            Self::Nothing => Octets::of(Bytes::new()),
            Self::Whole(octets) => Octets::of(octets.clone()),
            Self::Values(plan, length) => Octets {
                left: *length,
                source: Source::Coming(plan.clone().send()),
            },
        }
    }
}

impl Plan {
    async fn measured(self) -> io::Result<Content> {
        if self.selection.count() <= FEW {
            let mut octets = Vec::new();
            self.print(&mut octets)?;
            return Ok(Content::Whole(octets.into()));
        }
        let plan = Arc::new(self);
        let counting = plan.clone();
        let counted = spawn_blocking(move || {
            let mut count = Count(0);
            counting.print(&mut count).map(|()| count.0)
        });
        let length = counted.await.map_err(io::Error::other)??;
        Ok(Content::Values(plan, length))
    }

    fn print(&self, sink: &mut impl Write) -> io::Result<()> {
        self.selection
            .print(self.namespace, &self.header, &self.model, sink)
    }

    /// Prints into a channel, no faster than it is read.
    fn send(self: Arc<Self>) -> mpsc::Receiver<Bytes> {
        let (send, receive) = mpsc::channel(WAITING);
        spawn_blocking(move || {
            let mut chunks = Chunks {
                send,
                chunk: Vec::new(),
            };
            // Nobody reads any more: the connection has gone, and says so itself.
            let _ = self.print(&mut chunks).and_then(|()| chunks.flush());
        });
        receive
    }
}

/// Counts octets.
struct Count(u64);

impl Write for Count {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0 += octets.len() as u64;
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Collects octets into chunks.
struct Chunks {
    send: mpsc::Sender<Bytes>,
    chunk: Vec<u8>,
}

impl Write for Chunks {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.chunk.extend_from_slice(octets);
        if self.chunk.len() >= CHUNK {
            self.flush()?;
        }
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let chunk = take(&mut self.chunk);
        if chunk.is_empty() {
            return Ok(());
        }
        let sent = self.send.blocking_send(chunk.into());
        sent.map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

/// A body as the HTTP library takes it: its length is known.
pub(super) struct Octets {
    left: u64,
    source: Source,
}

enum Source {
    Here(Bytes),
    Coming(mpsc::Receiver<Bytes>),
}

impl Octets {
    fn of(octets: Bytes) -> Self {
        Self {
            left: octets.len() as u64,
            source: Source::Here(octets),
        }
    }
}

impl Body for Octets {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let body = self.get_mut();
        let chunk = match &mut body.source {
            Source::Here(octets) => Some(take(octets)).filter(|octets| !octets.is_empty()),
            Source::Coming(chunks) => match chunks.poll_recv(context) {
                Poll::Ready(chunk) => chunk,
                Poll::Pending => return Poll::Pending,
            },
        };
        let Some(chunk) = chunk else {
            return Poll::Ready(None);
        };
        body.left = body.left.saturating_sub(chunk.len() as u64);
        Poll::Ready(Some(Ok(Frame::data(chunk))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::north::cwmp::model::DataModel;
    use crate::north::cwmp::settings::Settings;
    use crate::tree::{Configured, Tree};
    use http_body_util::BodyExt;

    async fn said(content: &Content) -> (u64, Vec<u8>) {
        let octets = content.octets();
        let promised = octets.size_hint().exact().expect("a length");
        let collected = octets.collect().await.expect("infallible");
        (promised, collected.to_bytes().to_vec())
    }

    #[tokio::test]
    async fn an_answer_of_many_values_has_the_length_that_was_promised_each_time() {
        let tree = Tree::in_memory();
        let settings = Settings::read(&tree.snapshot()).model;
        let view = tree.instances();
        let model = DataModel::new(&view, &settings);
        let mut selection = model.nothing();
        while selection.count() < 5000 {
            model.select("", &mut selection).expect("parameters");
        }
        let body = Wanted::Values {
            namespace: Namespace::Cwmp12,
            header: Header::default(),
            selection,
        };
        let content = Content::of(body, &settings).await.expect("counted");
        assert!(matches!(content, Content::Values(..)));
        let (promised, first) = said(&content).await;
        let (_, second) = said(&content).await;
        assert_eq!(promised, first.len() as u64);
        assert!(first == second && promised > 100_000);
        assert!(first.ends_with(b"</soap:Envelope>\n"));
    }

    #[tokio::test]
    async fn an_empty_message_is_nothing_at_all() {
        let tree = Tree::in_memory();
        let model = Settings::read(&tree.snapshot()).model;
        let content = Content::of(Wanted::Nothing, &model).await;
        let content = content.expect("nothing to print");
        assert!(content.is_empty());
        assert_eq!(said(&content).await, (0, Vec::new()));
    }
}
