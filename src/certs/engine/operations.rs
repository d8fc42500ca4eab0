//! The operations of an [`Engine`]: files installed and deleted by a commit.

use zeroize::Zeroizing;

use super::{BUSY, Engine, Output};
use crate::certs::install::{Place, digest, hex};
use crate::certs::operations::Wanted;
use crate::certs::time::Now;
use crate::certs::work::Work;
use crate::tree::{Answer, Invocation, Transaction};

impl Engine {
    pub(super) fn invoke(&mut self, now: Now, invocation: Invocation) {
        match Wanted::read(&invocation) {
            Err(reason) => self.answer(invocation.answer, Err(reason)),
            Ok(Wanted::Transfer(wish)) => {
                let (actor, answer) = (invocation.actor, invocation.answer);
                self.start(now, &wish, actor, None, Some(answer));
            }
            Ok(Wanted::Install(place, content)) => {
                let content = Zeroizing::new(content.0);
                let mut txn = Transaction::new(invocation.actor);
                match place.install(&mut txn, &content) {
                    Err(bad) => self.answer(invocation.answer, Err(bad.to_string())),
                    Ok(()) => self.commit(txn, installed(&place, &content), invocation.answer),
                }
            }
            Ok(Wanted::Delete(place)) => self.delete(&place, invocation),
        }
    }

    fn delete(&mut self, place: &Place, invocation: Invocation) {
        let key = (place.store, place.file.index());
        let settings = self.settings.as_ref();
        if !settings.is_some_and(|settings| settings.files.contains_key(&key)) {
            let reason = format!("there is no {} certificate {}", place.store, place.file);
            return self.answer(invocation.answer, Err(reason));
        }
        let mut txn = Transaction::new(invocation.actor);
        place.delete(&mut txn);
        self.commit(txn, format!("{} deleted", place.file), invocation.answer);
    }

    fn commit(&mut self, txn: Transaction, success: String, answer: Answer) {
        if self.works.is_full() {
            return self.answer(answer, Err(BUSY.to_owned()));
        }
        let job = self.works.begin(Work::Commit(success), Some(answer));
        self.outputs.push_back(Output::Commit(job, txn));
    }
}

fn installed(place: &Place, content: &[u8]) -> String {
    let digest = hex(&digest(content));
    format!("{} is installed, SHA-256 of the file {digest}", place.file)
}

#[cfg(test)]
mod tests {
    use super::super::testing::Device;
    use crate::certs::operations::{DELETE, INSTALL};
    use crate::certs::testing::{Authority, Leaf};
    use crate::tree::OperationError;

    #[test]
    fn a_file_is_installed_replaced_and_deleted_by_operations() {
        let mut device = Device::new();
        let root = Authority::new("Root");
        let place = [
            ("FileName", "a.pem"),
            ("Type", "host"),
            ("Associate", "Sip"),
        ];
        for name in ["one", "two"] {
            let leaf = root.issue(Leaf::new(name));
            let file = leaf.pem() + &leaf.key_pem();
            let answer = device.invoke(&INSTALL, &place, Some(&file)).recv();
            let text = answer.expect("an answer").expect("installed");
            assert!(text.starts_with("a.pem is installed, SHA-256"), "{text}");
        }
        let files = &device.shown.as_ref().expect("shown").files;
        let first = files[0].certificates.as_ref().expect("readable")[0].clone();
        assert_eq!(
            (files.len(), first.subject.to_string()),
            (1, "CN=two".to_owned())
        );
        let delete = |device: &mut Device| device.invoke(&DELETE, &place[..2], None).recv();
        let answer = delete(&mut device).expect("an answer");
        assert_eq!(answer, Ok("a.pem deleted".to_owned()));
        let lacking = "Sip has no host certificate left to be a TLS server: no host certificate is \
                       installed: add one with demarc cert add --type host FILE";
        assert!(
            device.said.iter().any(|said| said == lacking),
            "{:?}",
            device.said
        );
        let answer = delete(&mut device).expect("an answer");
        let none = "there is no host certificate a.pem".to_owned();
        assert_eq!(answer, Err(OperationError::Failed(none)));
    }

    #[test]
    fn a_bad_argument_is_answered_at_once() {
        let mut device = Device::new();
        let root = Authority::new("Root").pem();
        type Case<'a> = (&'a [(&'static str, &'a str)], Option<&'a str>, &'a str);
        let cases: [Case<'_>; 4] = [
            (
                &[("FileName", "a/b"), ("Type", "other")],
                Some(&root),
                "FileName: the file name holds",
            ),
            (
                &[("FileName", "a"), ("Type", "both")],
                Some(&root),
                "Type is host or other",
            ),
            (
                &[("FileName", "a"), ("Type", "host")],
                None,
                "Cert.Install needs a file",
            ),
            (
                &[("FileName", "a"), ("Type", "host")],
                Some(&root),
                "the file has no private key",
            ),
        ];
        for (arguments, blob, why) in cases {
            let answer = device.invoke(&INSTALL, arguments, blob).recv();
            let error = answer.expect("an answer").expect_err("refused").to_string();
            assert!(error.starts_with(why), "{error}");
        }
    }
}
