//! The cookies of one session (RFC 6265, as far as an ACS uses them).
//!
//! They live as long as the session does, so dates do not count: a cookie
//! that is to be deleted says so by Max-Age.

/// The cookies that a session has been given.
#[derive(Debug, Default)]
pub(super) struct Jar {
    cookies: Vec<Cookie>,
}

#[derive(Debug)]
struct Cookie {
    name: String,
    value: String,
    domain: String,
    /// Only for that very host, since it named no Domain (§5.3 step 6).
    host_only: bool,
    path: String,
    secure: bool,
}

impl Jar {
    /// Takes the value of a Set-Cookie from a host; what does not concern the
    /// host, or is out of bounds, is passed over.
    pub(super) fn take(&mut self, value: &str, host: &str, path: &str, over_tls: bool) {
        let mut parts = value.split(';');
        let pair = parts.next().and_then(|pair| pair.split_once('='));
        let Some((name, content)) = pair else {
            return;
        };
        let mut cookie = Cookie {
            name: name.trim().to_owned(),
            value: content.trim().to_owned(),
            domain: host.to_ascii_lowercase(),
            host_only: true,
            path: default_path(path),
            secure: false,
        };
        let mut gone = false;
        for part in parts {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            let value = value.trim();
            match key.trim().to_ascii_lowercase().as_str() {
                "path" if value.starts_with('/') => value.clone_into(&mut cookie.path),
                "domain" if !value.is_empty() => {
                    cookie.domain = value.trim_start_matches('.').to_ascii_lowercase();
                    cookie.host_only = false;
                }
                "secure" => cookie.secure = true,
                "max-age" => gone = value.parse::<i64>().is_ok_and(|seconds| seconds <= 0),
                _ => {}
            }
        }
        let proper = !cookie.name.is_empty()
            && cookie.name.len() + cookie.value.len() <= LONGEST
            && domain_matches(host, &cookie.domain)
            && (over_tls || !cookie.secure);
        if !proper {
            return;
        }
        self.cookies.retain(|known| {
            (&known.name, &known.domain, &known.path)
                != (&cookie.name, &cookie.domain, &cookie.path)
        });
        if !gone && self.cookies.len() < MOST {
            self.cookies.push(cookie);
        }
    }

    /// The value of Cookie for a request; longer paths first (§5.4).
    pub(super) fn value(&self, host: &str, path: &str, over_tls: bool) -> Option<String> {
        let concerned = |cookie: &&Cookie| {
            let domain = match cookie.host_only {
                true => cookie.domain.eq_ignore_ascii_case(host),
                false => domain_matches(host, &cookie.domain),
            };
            domain && path_matches(path, &cookie.path) && (over_tls || !cookie.secure)
        };
        let mut cookies: Vec<&Cookie> = self.cookies.iter().filter(concerned).collect();
        cookies.sort_by_key(|cookie| std::cmp::Reverse(cookie.path.len()));
        let pairs: Vec<String> = cookies
            .iter()
            .map(|cookie| format!("{}={}", cookie.name, cookie.value))
            .collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }
}

/// §5.1.3; an address has no sub-domains.
fn domain_matches(host: &str, domain: &str) -> bool {
    let host = host.to_ascii_lowercase();
    if host == domain {
        return true;
    }
    let is_name = host.parse::<std::net::IpAddr>().is_err();
    let below = host
        .strip_suffix(domain)
        .is_some_and(|rest| rest.ends_with('.'));
    // A whole top-level domain is nobody's.
    is_name && below && domain.contains('.')
}

/// §5.1.4.
fn path_matches(path: &str, cookie: &str) -> bool {
    match path.strip_prefix(cookie) {
        Some(rest) => rest.is_empty() || cookie.ends_with('/') || rest.starts_with('/'),
        None => false,
    }
}

/// §5.1.4: up to the last slash.
fn default_path(path: &str) -> String {
    match path.rsplit_once('/') {
        Some(("", _)) | None => "/".to_owned(),
        Some((folder, _)) => folder.to_owned(),
    }
}

/// §6.1: at least 4096 octets each, 50 a domain.
const LONGEST: usize = 4096;
const MOST: usize = 50;

#[cfg(test)]
mod tests {
    use super::*;

    fn jar(cookies: &[&str]) -> Jar {
        let mut jar = Jar::default();
        for cookie in cookies {
            jar.take(cookie, "acs.example.com", "/cwmp/in", false);
        }
        jar
    }

    fn sent(jar: &Jar, host: &str, path: &str) -> String {
        jar.value(host, path, false).unwrap_or_default()
    }

    #[test]
    fn a_cookie_without_attributes_is_for_its_host_and_folder() {
        let jar = jar(&["session=a=b", "other=2; HttpOnly"]);
        assert_eq!(
            sent(&jar, "acs.example.com", "/cwmp/out"),
            "session=a=b; other=2"
        );
        assert_eq!(sent(&jar, "acs.example.com", "/cwmpx"), "");
        assert_eq!(sent(&jar, "b.example.com", "/cwmp/in"), "");
    }

    #[test]
    fn the_last_value_of_a_cookie_counts_and_max_age_zero_deletes_it() {
        let kept = jar(&["s=1", "s=2; Path=/cwmp"]);
        assert_eq!(sent(&kept, "acs.example.com", "/cwmp"), "s=2");
        let gone = jar(&["s=1", "s=; Max-Age=0"]);
        assert_eq!(sent(&gone, "acs.example.com", "/cwmp"), "");
    }

    #[test]
    fn a_domain_reaches_its_hosts_and_no_foreign_or_top_level_one_is_taken() {
        let jar = jar(&[
            "a=1; Domain=.Example.com; Path=/",
            "b=1; Domain=com",
            "c=1; Domain=evil.org",
        ]);
        assert_eq!(sent(&jar, "b.example.com", "/"), "a=1");
        assert_eq!(sent(&jar, "badexample.com", "/"), "");
    }

    #[test]
    fn secure_cookies_stay_in_tls_and_sizes_are_bounded() {
        let long = format!("long={}", "x".repeat(LONGEST));
        let mut jar = jar(&["s=1; Secure", &long]);
        assert_eq!(sent(&jar, "acs.example.com", "/cwmp"), "");
        jar.take("s=1; Secure", "acs.example.com", "/", true);
        assert_eq!(
            jar.value("acs.example.com", "/", true).as_deref(),
            Some("s=1")
        );
        assert_eq!(jar.value("acs.example.com", "/", false), None);
        for number in 0..2 * MOST {
            jar.take(&format!("c{number}=1"), "acs.example.com", "/", false);
        }
        assert_eq!(jar.cookies.len(), MOST);
    }
}
