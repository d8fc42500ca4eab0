//! A web server on a free port of the loopback, with and without TLS.
//!
//! It writes whole answers as they are given, so that they may be wrong.

use std::sync::Arc;

use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, SupportedProtocolVersion};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use super::pki::Pair;

/// Gives the answer to a path, octet by octet.
pub(crate) type Pages = Arc<dyn Fn(&str) -> Vec<u8> + Send + Sync>;

pub(crate) struct Server {
    pub(crate) port: u16,
    serving: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Server {
    pub(crate) async fn clear(pages: Pages) -> Self {
        Self::serve(None, pages).await
    }

    pub(crate) async fn secure(pair: &Pair, pages: Pages) -> Self {
        Self::serve(Some(config(pair)), pages).await
    }

    pub(crate) async fn serve(tls: Option<Arc<ServerConfig>>, pages: Pages) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let serving = tokio::spawn(async move {
            loop {
                let (connection, _) = listener.accept().await.expect("a connection");
                let (tls, pages) = (tls.clone(), pages.clone());
                tokio::spawn(async move {
                    match tls {
                        None => answer(connection, &pages).await,
                        // A client that refuses the server is what some stories are about.
                        Some(tls) => {
                            if let Ok(secured) = TlsAcceptor::from(tls).accept(connection).await {
                                answer(secured, &pages).await;
                            }
                        }
                    }
                });
            }
        });
        Self { port, serving }
    }
}

async fn answer<T: AsyncRead + AsyncWrite + Unpin>(mut connection: T, pages: &Pages) {
    let mut head = Vec::new();
    let mut octets = [0; 1024];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        match connection.read(&mut octets).await {
            Ok(0) | Err(_) => return,
            Ok(count) => head.extend_from_slice(&octets[..count]),
        }
    }
    let head = String::from_utf8(head).expect("a request");
    let path = head.split(' ').nth(1).expect("a request line");
    // The client may have gone: too large a file is not read to its end.
    let _ = connection.write_all(&pages(path)).await;
    let _ = connection.shutdown().await;
}

/// Every version that is safe.
pub(crate) fn config(pair: &Pair) -> Arc<ServerConfig> {
    config_of(pair, rustls::ALL_VERSIONS)
}

/// These versions alone.
pub(crate) fn config_of(
    pair: &Pair,
    versions: &[&'static SupportedProtocolVersion],
) -> Arc<ServerConfig> {
    let provider = Arc::new(rustls_openssl::default_provider());
    let chain = vec![CertificateDer::from(
        pair.certificate.to_der().expect("DER"),
    )];
    let key = pair.key.private_key_to_pkcs8().expect("DER");
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key));
    let config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .expect("ciphers")
        .with_no_client_auth()
        .with_single_cert(chain, key);
    Arc::new(config.expect("a key that fits"))
}

/// A whole answer with a file.
pub(crate) fn ok(body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}").into_bytes()
}

/// An answer that leads elsewhere.
pub(crate) fn moved(to: &str) -> Vec<u8> {
    format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n").into_bytes()
}
