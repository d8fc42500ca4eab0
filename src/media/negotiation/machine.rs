//! The order of offers and answers of one call.
//!
//! One offer waits at a time. What an offer of ours brings (keys, places of
//! media) counts once it is answered; [`Negotiation::withdraw`] forgets it. A
//! refused offer of either side leaves the call as it was (RFC 3261 §14.1).

use super::agreed::{Agreed, AgreedFax, Audio, Media as AgreedMedia, Secured};
use super::answering::{self, Chosen};
use super::description::{Description, FaxBesideSrtp, FaxEnd, Hop, Keys, Mode, Subject, Wish};
use super::keying::{self, Own};
use super::offering::{self, Shape};
use super::refusal::Refusal;
use super::{arrange, fax, reading};
use crate::media::keys::Fresh;
use crate::wire::sdp::{Attribute, Connection, Direction, Line, Media, Origin, Session};

/// The offers and answers of one call.
#[derive(Clone, Debug)]
pub struct Negotiation {
    local: Description,
    hop: Hop,
    /// Of `o=`; grows with each change.
    version: u64,
    /// What was last sent, without its version.
    sent: Option<String>,
    /// Media as they last stood in a description of either side.
    places: Vec<Media>,
    audio: Option<Voice>,
    /// Where the fax stands, once there was one.
    fax: Option<usize>,
    pending: Option<Pending>,
}

/// Voice as agreed; it stays so while a fax is sent.
#[derive(Clone, Debug)]
pub(super) struct Voice {
    pub(super) audio: Audio,
    pub(super) own: Option<Own>,
}

/// An offer of ours that waits.
#[derive(Clone, Debug)]
pub(super) struct Pending {
    pub(super) session: Session,
    pub(super) own: Option<Own>,
    pub(super) direction: Direction,
}

impl Negotiation {
    /// Of a call whose signalling goes over this hop.
    #[must_use]
    pub fn new(local: Description, hop: Hop) -> Self {
        Self {
            local,
            hop,
            version: 0,
            sent: None,
            places: Vec::new(),
            audio: None,
            fax: None,
            pending: None,
        }
    }

    /// Makes an offer; it waits for [`Negotiation::read_answer`] or [`Negotiation::withdraw`].
    ///
    /// # Errors
    /// [`Refusal::Pending`] while another waits, [`Refusal::ClearHop`] where keys may
    /// not travel, and what forbids a fax.
    pub fn offer(&mut self, wish: Wish, fresh: &mut Fresh<'_>) -> Result<Session, Refusal> {
        if self.pending.is_some() {
            return Err(Refusal::Pending);
        }
        let (media, keys, own) = match wish.subject {
            Subject::Audio => self.offer_audio(wish, fresh)?,
            Subject::Fax => {
                let medium = fax::medium(&self.may_fax()?);
                let media = arrange::place(medium, &self.places, self.fax);
                (media, Vec::new(), None)
            }
        };
        let session = self.describe(media, keys);
        self.pending = Some(Pending {
            session: session.clone(),
            own,
            direction: wish.direction,
        });
        Ok(session)
    }

    fn offer_audio(
        &self,
        wish: Wish,
        fresh: &mut Fresh<'_>,
    ) -> Result<(Vec<Media>, Vec<Attribute>, Option<Own>), Refusal> {
        let security = &self.local.security;
        let shape = offering::shape(&self.local, self.hop, self.audio.as_ref())?;
        let before = self.audio.as_ref().and_then(|voice| voice.own.as_ref());
        let own = match shape.is_protected() {
            true => Some(keying::offer(security, before, wish.keys, fresh)?),
            false => None,
        };
        let voice = self.audio.as_ref().map(|voice| &voice.audio);
        let keys = self.keys(own.as_ref());
        // RFC 4567 §3.1: MIKEY's message is the session's; in a configuration it is the medium's.
        let of_session = is_mikey(own.as_ref()) && shape != Shape::Capabilities;
        let (above, keys) = split(keys, of_session);
        let media = offering::media(&self.local, &shape, voice, &keys, wish.direction);
        let media = match <[Media; 1]>::try_from(media) {
            Ok([medium]) => arrange::place(medium, &self.places, voice.map(|audio| audio.line)),
            Err(several) => several,
        };
        Ok((media, above, own))
    }

    fn keys(&self, own: Option<&Own>) -> Vec<Attribute> {
        own.map_or_else(Vec::new, |own| {
            keying::attributes(&self.local.security, own)
        })
    }

    /// Forgets the offer that waits: it was refused, or its call has ended.
    pub fn withdraw(&mut self) {
        self.pending = None;
    }

    /// Answers an offer. `wish` is our direction; a peer that holds narrows it.
    ///
    /// # Errors
    /// Whatever makes the offer one that we cannot take.
    pub fn answer(
        &mut self,
        offer: &Session,
        wish: Direction,
        keys: Keys,
        fresh: &mut Fresh<'_>,
    ) -> Result<(Session, Agreed), Refusal> {
        if self.pending.is_some() {
            return Err(Refusal::Pending);
        }
        // RFC 3264 §8: media are never taken away.
        if offer.media.len() < self.places.len() {
            return Err(Refusal::Shrunk);
        }
        match answering::fax(offer) {
            Some(line) => self.answer_fax(offer, line),
            None => self.answer_audio(offer, wish, keys, fresh),
        }
    }

    fn answer_fax(&mut self, offer: &Session, line: usize) -> Result<(Session, Agreed), Refusal> {
        let end = self.may_fax()?;
        let agreed = fax::agree(&end, offer, line, &offer.media[line])?;
        let medium = fax::answer(&end, &agreed);
        let media = arrange::place(medium, &offer.media, Some(line));
        let session = self.describe(media, Vec::new());
        self.places = session.media.clone();
        Ok((session, self.keep_fax(agreed)))
    }

    fn answer_audio(
        &mut self,
        offer: &Session,
        wish: Direction,
        keys: Keys,
        fresh: &mut Fresh<'_>,
    ) -> Result<(Session, Agreed), Refusal> {
        let before = self.audio.as_ref();
        let own = before.and_then(|voice| voice.own.as_ref());
        let Chosen {
            candidate,
            common,
            peer,
            mismatch,
        } = answering::choose(&self.local, self.hop, offer, own, fresh.ntp)?;
        let known = before.and_then(|voice| Some((voice.own.as_ref()?, &voice.audio.security)));
        let (own, security) = match peer {
            Some(peer) => {
                let (own, secured) = keying::answer(peer, known, keys, fresh)?;
                (Some(own), secured)
            }
            None => (None, Secured::None),
        };
        let voice = before.map(|voice| &voice.audio);
        let audio = answering::audio(
            &self.local,
            offer,
            &candidate,
            common,
            wish,
            security,
            voice,
        )?;
        let of_session = is_mikey(own.as_ref()) && !candidate.has_own_message();
        let (above, keys) = split(self.keys(own.as_ref()), of_session);
        let medium = answering::medium(&self.local, &candidate, &audio, keys);
        let media = arrange::place(medium, &offer.media, Some(candidate.line));
        let session = self.describe(media, above);
        self.places = session.media.clone();
        Ok((session, self.keep_audio(audio, own, mismatch)))
    }

    /// Reads the answer to the offer that waits, which then waits no more.
    ///
    /// # Errors
    /// Whatever makes the answer none of that offer; the call is as it was before.
    pub fn read_answer(&mut self, answer: &Session) -> Result<Agreed, Refusal> {
        let pending = self.pending.take().ok_or(Refusal::NotAsked)?;
        let (offered, found) = (pending.session.media.len(), answer.media.len());
        if offered != found {
            return Err(Refusal::AnswerMedia { offered, found });
        }
        let line = answer.media.iter().position(|media| media.port != 0);
        let line = line.ok_or(Refusal::Rejected)?;
        if pending.session.media[line].kind != answer.media[line].kind {
            return Err(Refusal::Profile);
        }
        if answer.media[line].kind == "image" {
            let end = self.may_fax()?;
            let agreed = fax::agree(&end, answer, line, &answer.media[line])?;
            self.places = pending.session.media;
            return Ok(self.keep_fax(agreed));
        }
        let (audio, own) = reading::audio(&self.local, &pending, answer, line)?;
        self.places = pending.session.media;
        Ok(self.keep_audio(audio, own, false))
    }

    fn keep_audio(&mut self, audio: Audio, own: Option<Own>, mismatch: bool) -> Agreed {
        self.audio = Some(Voice {
            audio: audio.clone(),
            own,
        });
        Agreed {
            media: AgreedMedia::Audio(audio),
            mismatch,
        }
    }

    fn keep_fax(&mut self, agreed: AgreedFax) -> Agreed {
        self.fax = Some(agreed.line);
        Agreed {
            media: AgreedMedia::Fax(agreed),
            mismatch: false,
        }
    }

    /// T.38 where it is enabled, and does not break the protection of the call.
    fn may_fax(&self) -> Result<FaxEnd, Refusal> {
        let end = self.local.fax.ok_or(Refusal::FaxDisabled)?;
        let voice = self.audio.as_ref().map(|voice| &voice.audio.security);
        let protected = match voice {
            Some(security) => *security != Secured::None,
            None => self.local.security.mode == Mode::Secure,
        };
        match protected && end.beside_srtp == FaxBesideSrtp::Refuse {
            true => Err(Refusal::FaxInSecure),
            false => Ok(end),
        }
    }

    /// RFC 3264 §8: the version grows by one where anything has changed.
    fn describe(&mut self, media: Vec<Media>, attributes: Vec<Attribute>) -> Session {
        let host = Connection::new(self.local.address);
        let origin = Origin {
            user: "-".to_owned(),
            session: self.local.session.to_string(),
            version: String::new(),
            host: host.clone(),
        };
        let mut session = Session::new(origin, host);
        let attributes = attributes.into_iter().map(Line::Attribute);
        session.lines.extend(attributes);
        session.media = media;
        let text = session.to_string();
        if self.sent.as_ref() != Some(&text) {
            self.version += 1;
            self.sent = Some(text);
        }
        session.origin.version = self.version.to_string();
        session
    }
}

fn is_mikey(own: Option<&Own>) -> bool {
    matches!(own, Some(Own::Mikey(_)))
}

/// The attributes of the session, and those of the medium.
fn split(keys: Vec<Attribute>, of_session: bool) -> (Vec<Attribute>, Vec<Attribute>) {
    match of_session {
        true => (keys, Vec::new()),
        false => (Vec::new(), keys),
    }
}
