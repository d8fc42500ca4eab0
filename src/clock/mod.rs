//! The SNTP client, and whether the time is known.
