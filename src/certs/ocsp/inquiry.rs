//! Finding out about one certificate: what is known, else whom to ask what.

use super::doubt::Doubt;
use super::request::{CertificateId, NONCE_LENGTH};
use super::responders::Responder;
use super::response;
use super::verdict::Verdict;
use crate::certs::certificate::Certificate;
use crate::certs::keyring::Keyring;

/// What is to be found out about a server whose chain has been found.
#[derive(Debug)]
pub(in crate::certs) struct Inquiry<'k> {
    keyring: &'k Keyring,
    /// Leaf first, anchor last.
    chain: Vec<Certificate>,
    /// What the server sent with its certificate; "" where it sent none.
    staple: Vec<u8>,
}

/// What to do about an inquiry.
#[derive(Debug)]
pub(in crate::certs) enum Next {
    /// Nothing more.
    Known(Result<Verdict, Doubt>),
    /// Ask this, and say [`Inquiry::answered`].
    Ask(Question),
}

/// A question to a responder.
#[derive(Debug)]
pub(in crate::certs) struct Question {
    /// Whom to ask.
    pub(in crate::certs) responder: Responder,
    /// An OCSPRequest in DER.
    pub(in crate::certs) request: Vec<u8>,
    nonce: [u8; NONCE_LENGTH],
}

impl<'k> Inquiry<'k> {
    /// About the first certificate of `chain`.
    pub(in crate::certs) fn new(
        keyring: &'k Keyring,
        chain: Vec<Certificate>,
        staple: Vec<u8>,
    ) -> Self {
        Self {
            keyring,
            chain,
            staple,
        }
    }

    /// Whose certificate it is.
    pub(in crate::certs) fn subject(&self) -> String {
        let subject = self.chain.first();
        subject.map_or_else(String::new, |leaf| leaf.subject.to_string())
    }

    /// The file of the authority that the chain leads to.
    pub(in crate::certs) fn file(&self) -> Option<String> {
        let responders = self.keyring.responders();
        let authority = responders.of(self.chain.last()?)?;
        Some(authority.file.clone())
    }

    /// What the server stapled counts first, then what is remembered; but what
    /// was revoked stays so, whatever older answer is stapled.
    pub(in crate::certs) fn next(&self, nonce: [u8; NONCE_LENGTH]) -> Next {
        match self.known() {
            Ok(Some(verdict)) => Next::Known(Ok(verdict)),
            Ok(None) => match self.question(nonce) {
                Ok(question) => Next::Ask(question),
                Err(doubt) => Next::Known(Err(doubt)),
            },
            Err(doubt) => Next::Known(Err(doubt)),
        }
    }

    /// What a responder sent.
    pub(in crate::certs) fn answered(
        &self,
        question: &Question,
        answer: &[u8],
    ) -> Result<Verdict, Doubt> {
        let (of, now) = (self.of()?, self.now()?);
        let word = response::read(answer, of, now, Some(&question.nonce));
        let word = word.map_err(|why| Doubt::Answer {
            host: question.responder.authority(),
            why,
        })?;
        self.keyring.revocations().keep(of, word, now);
        Ok(word.verdict)
    }

    /// A staple that is not believed, or says nothing, is as good as none.
    fn known(&self) -> Result<Option<Verdict>, Doubt> {
        let (of, now) = (self.of()?, self.now()?);
        let remembered = self.keyring.revocations().verdict(of, now);
        if let Some(Verdict::Revoked { .. }) = remembered {
            return Ok(remembered);
        }
        let stapled = match self.staple.as_slice() {
            [] => None,
            staple => response::stapled(staple, of, now).ok(),
        };
        let stapled = stapled.filter(|verdict| *verdict != Verdict::Unknown);
        Ok(stapled.or(remembered))
    }

    fn question(&self, nonce: [u8; NONCE_LENGTH]) -> Result<Question, Doubt> {
        let (subject, issuer) = self.of()?;
        let id = CertificateId::new(subject, issuer).ok_or(Doubt::NotAsked)?;
        Ok(Question {
            responder: self.responder(subject)?,
            request: id.request(&nonce),
            nonce,
        })
    }

    /// The operator's word, else the certificate's (RFC 5280 §4.2.2.1).
    fn responder(&self, subject: &Certificate) -> Result<Responder, Doubt> {
        let responders = self.keyring.responders();
        let authority = self.chain.last().and_then(|anchor| responders.of(anchor));
        if let Some(responder) = authority.and_then(|authority| authority.responder.clone()) {
            return Ok(responder);
        }
        let named = subject
            .x509()
            .ocsp_responders()
            .map_err(|_| Doubt::NoResponder)?;
        let mut read = named.iter().map(|url| Responder::parse(url));
        read.find_map(Result::ok).ok_or(Doubt::BadResponder)
    }

    /// The certificate, and who issued it.
    fn of(&self) -> Result<(&Certificate, &Certificate), Doubt> {
        match self.chain.as_slice() {
            [subject, issuer, ..] => Ok((subject, issuer)),
            _ => Err(Doubt::NoAuthority),
        }
    }

    fn now(&self) -> Result<i64, Doubt> {
        let time = self.keyring.clock().time();
        time.known().ok_or(Doubt::NoTime).map(|_| time.seconds())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Saying;
    use super::super::{Cause, Responders};
    use super::*;
    use crate::certs::testing::{Authority, Leaf, NOW, Pair};
    use crate::certs::time::TlsTime;

    struct Bench {
        keyring: Keyring,
        root: Authority,
        leaf: Pair,
    }

    impl Bench {
        fn new() -> Self {
            let root = Authority::new("Root");
            let leaf = root.issue(Leaf::new("leaf").responder("http://leaf.example/o"));
            let keyring = Keyring::new(TlsTime::Known(NOW));
            Self {
                keyring,
                root,
                leaf,
            }
        }

        fn inquiry(&self, staple: &[u8]) -> Inquiry<'_> {
            let chain = [self.leaf.certificate(), self.root.certificate()];
            let chain = chain.map(Clone::clone).to_vec();
            Inquiry::new(&self.keyring, chain, staple.to_vec())
        }

        fn says(&self, verdict: Verdict) -> Vec<u8> {
            let saying = Saying::new(self.leaf.certificate(), &self.root);
            saying.verdict(verdict).signed_by(self.root.pair())
        }
    }

    fn known(inquiry: &Inquiry<'_>) -> Option<Result<Verdict, Doubt>> {
        match inquiry.next([0; NONCE_LENGTH]) {
            Next::Known(found) => Some(found),
            Next::Ask(_) => None,
        }
    }

    fn question(inquiry: &Inquiry<'_>) -> Question {
        match inquiry.next([0; NONCE_LENGTH]) {
            Next::Ask(question) => question,
            Next::Known(found) => panic!("nothing to ask: {found:?}"),
        }
    }

    const REVOKED: Verdict = Verdict::Revoked {
        since: NOW,
        cause: Some(Cause(1)),
    };

    #[test]
    fn what_is_stapled_counts_first_and_what_is_not_believed_not_at_all() {
        let bench = Bench::new();
        let staple = bench.says(REVOKED);
        assert_eq!(known(&bench.inquiry(&staple)), Some(Ok(REVOKED)));
        assert_eq!(known(&bench.inquiry(b"junk")), None);
        let staple = bench.says(Verdict::Unknown);
        assert_eq!(known(&bench.inquiry(&staple)), None);
    }

    #[test]
    fn what_was_revoked_stays_so_whatever_is_stapled() {
        let bench = Bench::new();
        let inquiry = bench.inquiry(b"");
        let question = question(&inquiry);
        let revoked = bench.says(REVOKED);
        assert_eq!(inquiry.answered(&question, &revoked), Ok(REVOKED));
        let staple = bench.says(Verdict::Good);
        assert_eq!(known(&bench.inquiry(&staple)), Some(Ok(REVOKED)));
    }

    #[test]
    fn an_answer_is_remembered_for_the_next_link() {
        let bench = Bench::new();
        let inquiry = bench.inquiry(b"");
        let question = question(&inquiry);
        let answer = bench.says(Verdict::Good);
        assert_eq!(inquiry.answered(&question, &answer), Ok(Verdict::Good));
        assert_eq!(known(&bench.inquiry(b"")), Some(Ok(Verdict::Good)));
        let later = TlsTime::Known(NOW + 86_401);
        bench.keyring.clock().set(later);
        assert_eq!(known(&bench.inquiry(b"")), None);
    }

    #[test]
    fn the_operator_s_responder_is_asked_before_the_certificate_s() {
        let bench = Bench::new();
        let asked = |bench: &Bench| question(&bench.inquiry(b"")).responder.authority();
        assert_eq!(asked(&bench), "leaf.example");
        let mut responders = Responders::default();
        let own = Responder::parse("http://own.example:8080/").expect("a responder");
        let root = std::slice::from_ref(bench.root.certificate());
        responders.add("ca.pem", Some(&own), root);
        bench.keyring.set_responders(responders);
        assert_eq!(asked(&bench), "own.example:8080");
        assert_eq!(bench.inquiry(b"").file().as_deref(), Some("ca.pem"));
    }

    #[test]
    fn where_nobody_can_be_asked_the_reason_is_told() {
        let mut bench = Bench::new();
        bench.leaf = bench.root.issue(Leaf::new("leaf"));
        let found = known(&bench.inquiry(b""));
        assert_eq!(found, Some(Err(Doubt::NoResponder)));
        let leaf = Leaf::new("leaf").responder("ldap://leaf.example/");
        bench.leaf = bench.root.issue(leaf);
        let found = known(&bench.inquiry(b""));
        assert_eq!(found, Some(Err(Doubt::BadResponder)));
        let alone = vec![bench.leaf.certificate().clone()];
        let alone = Inquiry::new(&bench.keyring, alone, Vec::new());
        assert_eq!(known(&alone), Some(Err(Doubt::NoAuthority)));
        bench.keyring.clock().set(TlsTime::Floor(NOW));
        assert_eq!(known(&bench.inquiry(b"")), Some(Err(Doubt::NoTime)));
    }
}
