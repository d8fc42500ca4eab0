//! How much of a message is read at most. Beyond these a message is refused.

/// Octets of one message, start line to body: what one UDP datagram can carry.
pub const MAX_MESSAGE: usize = 65_535;
/// Header fields of one message.
pub const MAX_HEADERS: usize = 256;
/// Octets of one header field, folds included, and of a start line.
pub const MAX_LINE: usize = 8_192;
/// Octets of a Request-URI; a longer one is answered 414.
pub const MAX_URI: usize = 2_048;
/// Parameters of one header value or URI.
pub const MAX_PARAMS: usize = 64;
/// Via values of one message; RFC 3261 requests make at most 70 hops by default.
pub const MAX_VIAS: usize = 80;
/// Values read of any other list header (Contact, Route, Allow, ...).
pub const MAX_VALUES: usize = 256;
