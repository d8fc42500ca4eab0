//! The blocks of a PEM file (RFC 7468), whatever stands between them.
//!
//! Splits and decodes; what a label means is the bundle's affair. A block may
//! be a private key, so its octets are wiped when it is dropped.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::bundle::BundleError;
use super::certificate::printable;

/// One `-----BEGIN label-----` block.
pub(super) struct Block<'a> {
    /// The label between BEGIN and the dashes.
    pub(super) label: &'a str,
    /// Whether a header says that the contents are encrypted (RFC 1421 §4.6.1.1).
    pub(super) encrypted: bool,
    /// The decoded contents; empty where they are encrypted.
    pub(super) der: Zeroizing<Vec<u8>>,
}

/// Whether `file` holds any PEM block.
pub(super) fn is_pem(file: &[u8]) -> bool {
    let begin = BEGIN.as_bytes();
    file.windows(begin.len()).any(|window| window == begin)
}

/// All blocks in the order of the file; text around them is left out.
pub(super) fn blocks(file: &[u8]) -> Result<Vec<Block<'_>>, BundleError> {
    let text = std::str::from_utf8(file).map_err(|_| BundleError::NotText)?;
    let mut lines = text.lines().map(str::trim_end);
    let mut blocks = Vec::new();
    while let Some(line) = lines.next() {
        if let Some(label) = between(line, BEGIN) {
            if blocks.len() == MAX_BLOCKS {
                return Err(BundleError::TooManyBlocks);
            }
            blocks.push(block(label, &mut lines)?);
        }
    }
    Ok(blocks)
}

fn block<'a>(
    label: &'a str,
    lines: &mut impl Iterator<Item = &'a str>,
) -> Result<Block<'a>, BundleError> {
    let mut base64 = Zeroizing::new(String::new());
    let mut encrypted = false;
    for line in lines {
        if between(line, END) == Some(label) {
            let der = match encrypted {
                true => Vec::new(),
                false => STANDARD
                    .decode(base64.as_bytes())
                    .map_err(|_| BundleError::BadBase64(printable(label)))?,
            };
            let der = Zeroizing::new(der);
            return Ok(Block {
                label,
                encrypted,
                der,
            });
        }
        match line.split_once(':') {
            Some((_, value)) => encrypted |= value.contains("ENCRYPTED"),
            None => base64.push_str(line.trim()),
        }
    }
    Err(BundleError::Unfinished(printable(label)))
}

fn between<'a>(line: &'a str, begin: &str) -> Option<&'a str> {
    line.strip_prefix(begin)?.strip_suffix(DASHES)
}

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";
/// Certificates, a key and its parameters, and some to spare.
const MAX_BLOCKS: usize = 80;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_around_blocks_is_left_out() {
        let file =
            b"Bag Attributes\r\n-----BEGIN A B-----\r\nAQID\r\nBA==\r\n-----END A B-----\r\nbye";
        let blocks = blocks(file).expect("one block");
        assert_eq!(blocks.len(), 1);
        assert_eq!(blocks[0].label, "A B");
        assert_eq!(*blocks[0].der, [1, 2, 3, 4]);
    }

    #[test]
    fn an_encrypted_header_is_seen() {
        let file =
            b"-----BEGIN K-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: X,00\n\nAQID\n-----END K-----";
        assert!(blocks(file).expect("one block")[0].encrypted);
    }

    #[test]
    fn broken_blocks_are_named() {
        let error = |file: &[u8]| blocks(file).map(|_| ()).expect_err("broken").to_string();
        assert_eq!(
            error(b"-----BEGIN CERTIFICATE-----\nAQID\n"),
            "the PEM block CERTIFICATE has no end line"
        );
        assert_eq!(
            error(b"-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----"),
            "the PEM block CERTIFICATE is not base64"
        );
        assert_eq!(
            error(b"-----BEGIN A-----\n\xff\n-----END A-----"),
            "the file is neither PEM text nor a DER certificate"
        );
        let many = "-----BEGIN A-----\n-----END A-----\n".repeat(MAX_BLOCKS + 1);
        assert_eq!(
            error(many.as_bytes()),
            "the file has more than 80 PEM blocks"
        );
    }
}
