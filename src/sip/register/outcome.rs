//! What became of a REGISTER, and what that leads to.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::answer::is_same;
use super::machine::{Granted, Timer};
use super::{Answer, Fault, Grant, Hint, MAX_RETRY_AFTER, MAX_ROUNDS, Purpose, Registration, Step};
use crate::sip::auth::{Credentials, Refusal};
use crate::sip::link::LinkFault;
use crate::sip::settings::ContactMatching;
use crate::sip::status::RegistrationState;
use crate::sip::transport::Transport;

impl Registration {
    pub(super) fn answered(&mut self, now: Instant, answer: Answer) -> Vec<Step> {
        let Some(purpose) = self.sent.take() else {
            return Vec::new();
        };
        self.timers.stop(Timer::Slow);
        match (answer, purpose) {
            (Answer::Again, purpose) => self.again(now, purpose),
            (_, Purpose::Unbind(_)) => {
                self.bound.clear();
                self.state = RegistrationState::Unregistered;
                vec![Step::Gone]
            }
            // Tidying is a courtesy: whatever the answer, it was tried.
            (_, Purpose::Tidy(_)) => Vec::new(),
            (Answer::Granted(grant), Purpose::Bind) => self.granted(now, grant),
            (Answer::TooBrief(least), purpose) => self.too_brief(now, least, purpose),
            (Answer::NotListed(contact), _) => self.fail(
                now,
                RegistrationState::InvalidResponse,
                Fault::NotListed(contact),
            ),
            (Answer::Unauthorized(refusal), _) => self.unauthorized(now, refusal),
            (
                Answer::Failed {
                    status,
                    phrase,
                    retry_after,
                },
                _,
            ) => self.refused(now, status, phrase, retry_after),
        }
    }

    fn unauthorized(&mut self, now: Instant, refusal: Refusal) -> Vec<Step> {
        // The next attempt asks for a challenge, and so tries the password once.
        self.credentials = Credentials::default();
        let news = matches!(refusal, Refusal::Wrong { .. }) && self.told.as_ref() != Some(&refusal);
        let mut steps = Vec::new();
        if news {
            self.told = Some(refusal.clone());
            steps.push(Step::Refused(refusal.clone()));
        }
        let fault = Fault::Credentials(refusal);
        steps.extend(self.fail(now, RegistrationState::AuthFailed, fault));
        steps
    }

    fn again(&mut self, now: Instant, purpose: Purpose) -> Vec<Step> {
        self.rounds += 1;
        match self.rounds > MAX_ROUNDS {
            true => self.fail(now, RegistrationState::InvalidResponse, Fault::NoEnd),
            false => self.send(purpose),
        }
    }

    fn granted(&mut self, now: Instant, grant: Grant) -> Vec<Step> {
        self.state = RegistrationState::Registered;
        self.told = None;
        self.not_before = None;
        self.previous.append(&mut self.bound);
        self.bound = std::mem::take(&mut self.offered);
        self.previous.retain(|it| !self.bound.contains(it));
        let ours: Vec<String> = grant
            .others
            .iter()
            .filter(|it| {
                self.previous
                    .iter()
                    .any(|own| is_same(own, it, ContactMatching::Strict))
            })
            .cloned()
            .collect();
        self.fault = self.shared(&grant, &ours);
        self.granted = Some(Granted {
            seconds: grant.expires,
            until: now + Duration::from_secs(u64::from(grant.expires)),
        });
        self.service_route = grant.service_route;
        self.schedule_refresh(now, grant.expires);
        let mut steps = vec![Step::Settled];
        steps.extend(grant.keep_alive.map(Step::KeepAlive));
        self.previous.clear();
        if !ours.is_empty() {
            self.rounds = 0;
            self.credentials.begin();
            steps.extend(self.send(Purpose::Tidy(ours)));
        }
        if self.is_outdated {
            self.timers.set(Timer::Refresh, now);
        }
        steps
    }

    fn shared(&self, grant: &Grant, ours: &[String]) -> Option<Fault> {
        let strangers: Vec<_> = grant
            .others
            .iter()
            .filter(|it| !ours.contains(it))
            .collect();
        let example = strangers.first()?;
        Some(Fault::Shared {
            count: strangers.len() + self.bound.len(),
            example: (*example).clone(),
        })
    }

    /// `refresh` seconds before expiry; half-way where the expiry is shorter than that.
    fn schedule_refresh(&mut self, now: Instant, expires: u32) {
        let refresh = self.plan.times.refresh;
        let wait = match expires > refresh {
            true => Duration::from_secs(u64::from(expires - refresh)),
            false => Duration::from_secs(u64::from(expires)) / 2,
        };
        self.timers
            .set(Timer::Refresh, now + wait.max(Duration::from_secs(1)));
    }

    fn too_brief(&mut self, now: Instant, least: Option<u32>, purpose: Purpose) -> Vec<Step> {
        let proposed = self.min_expires.unwrap_or(self.plan.times.proposed);
        match least {
            Some(least) if least > proposed => {
                // RFC 3261 §10.2.8.
                self.min_expires = Some(least);
                self.again(now, purpose)
            }
            _ => self.fail(now, RegistrationState::InvalidResponse, Fault::NoMinExpires),
        }
    }

    fn refused(
        &mut self,
        now: Instant,
        status: u16,
        phrase: String,
        retry_after: Option<u32>,
    ) -> Vec<Step> {
        let fault = Fault::Refused {
            status,
            phrase,
            hint: self.hint(status),
        };
        let mut steps = self.fail(now, RegistrationState::Rejected, fault);
        if let Some(seconds) = retry_after {
            let wait = Duration::from_secs(u64::from(seconds.clamp(1, MAX_RETRY_AFTER)));
            self.timers.set(Timer::Retry, now + wait);
        }
        // RFC 3263 §4.3 for 503; the other conditions are configured.
        if status == 503 || self.plan.failover.on_registration(status) {
            steps.push(Step::FailOver(LinkFault::Refused(status)));
        }
        steps
    }

    fn hint(&self, status: u16) -> Hint {
        let streams = self.sent_by() != Transport::Udp;
        let mute = !self.plan.binding.transport_parameter;
        match status {
            // 503 says of itself what is wrong.
            500 if mute => Hint::TransportParameter(self.gateway.clone()),
            400 | 416 | 478 if mute && streams => Hint::TransportParameter(self.gateway.clone()),
            403 if self.credentials.were_used() => Hint::Credentials,
            403 | 404 => Hint::UnknownUser,
            _ => Hint::None,
        }
    }

    /// The request goes on being repeated: a server that starts again answers then.
    pub(super) fn undelivered(&mut self, peer: SocketAddr) -> Vec<Step> {
        if self.sent == Some(Purpose::Bind) && !self.leaving {
            self.timers.stop(Timer::Slow);
            self.state = RegistrationState::Unreachable;
            self.fault = Some(Fault::Undelivered {
                peer,
                gateway: self.gateway.clone(),
            });
        }
        Vec::new()
    }

    /// There is no answer yet, which is worth a word.
    pub(super) fn is_slow(&mut self) {
        if let (Some(Purpose::Bind), Some((transport, peer))) = (&self.sent, self.sent_to) {
            self.fault = Some(Fault::Slow { transport, peer });
        }
    }

    /// How the last REGISTER went.
    fn sent_by(&self) -> Transport {
        self.sent_to.map_or(Transport::Udp, |it| it.0)
    }

    pub(super) fn timed_out(&mut self, now: Instant) -> Vec<Step> {
        self.timers.stop(Timer::Slow);
        match self.sent.take() {
            Some(Purpose::Unbind(_)) => vec![Step::Gone],
            Some(Purpose::Bind) => {
                let fault = Fault::NoAnswer {
                    transport: self.sent_by(),
                    gateway: self.gateway.clone(),
                };
                let mut steps = self.fail(now, RegistrationState::Unreachable, fault);
                steps.push(Step::FailOver(LinkFault::NoAnswer));
                steps
            }
            Some(Purpose::Tidy(_)) | None => Vec::new(),
        }
    }

    fn fail(&mut self, now: Instant, state: RegistrationState, fault: Fault) -> Vec<Step> {
        self.state = state;
        self.fault = Some(fault);
        let retry = match self.is_outdated {
            true => Duration::ZERO,
            false => Duration::from_secs(u64::from(self.plan.times.retry.max(1))),
        };
        self.timers.set(Timer::Retry, now + retry);
        match self.leaving {
            true => vec![Step::Gone],
            false => vec![Step::Settled],
        }
    }
}
