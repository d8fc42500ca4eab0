//! A connection of the runtime as the HTTP library wants it.
//!
//! Octets are copied through a small buffer, which costs nothing for files of
//! this size and needs no unsafe code.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use hyper::rt::{Read, ReadBufCursor, Write};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The connection inside.
pub(crate) struct Stream<T>(pub(crate) T);

impl<T: AsyncRead + Unpin> Read for Stream<T> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        mut into: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let mut octets = [0; CHUNK];
        let room = into.remaining().min(CHUNK);
        let mut chunk = ReadBuf::new(&mut octets[..room]);
        ready!(Pin::new(&mut self.get_mut().0).poll_read(context, &mut chunk))?;
        into.put_slice(chunk.filled());
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncWrite + Unpin> Write for Stream<T> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().0).poll_write(context, octets)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_shutdown(context)
    }
}

const CHUNK: usize = 4096;
