//! Issuing a key: from the vendor to its sink, and the note that it got there. What follows from
//! an end at any point is told in [`KeyRotation`](crate::model::KeyRotation)'s module.

use tokio::time::Instant;

use super::work::{Ended, Failure, Work};
use crate::cloud::{ErrorKind, Retry};
use crate::event::Outcome;
use crate::model::{Credential, IssuedKey, Subject};
use crate::plan::{Change, Outputs, Step};
use crate::sink::Recipient;

const REPLACED_NEXT: &str = "the next run revokes it and issues another";

impl Work<'_, '_> {
    /// Issues the key of an [`Step::IssueCredential`], hands it over and notes that.
    pub(super) async fn issue(&mut self, began: Instant) -> Result<Ended, Failure> {
        let Step::IssueCredential { subject, sink, .. } = &self.change.step else {
            return Err(Failure::new("not a step that issues a key"));
        };
        let Subject::Service(service) = subject else {
            return Err(Failure::new(format!("{subject} is no service account")));
        };
        let place = &self.change.place;
        let to = Recipient { service, organisation: &place.organisation, account: &place.account };
        let sinks = self.shared.sinks;
        sinks.check(sink, &to).await.map_err(|error| {
            Failure::new(format!("sink {sink}: {error}")).hint("no key was issued")
        })?;
        let key = self.create(began).await?;
        let delivery = sinks.deliver(sink, &to, &key);
        let refusal = match tokio::time::timeout(self.shared.options.call_time, delivery).await {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => Some("no answer in time".to_owned()),
        };
        if let Some(refusal) = refusal {
            let refusal = format!("sink {sink}: {refusal}");
            return Err(self.take_back(&key, &refusal, began).await);
        }
        self.note(&key, began).await?;
        Ok(Ended { outcome: Outcome::Applied, outputs: Outputs::new(), account_lost: None })
    }

    /// Sent again only where it is certain that nothing was issued: a key nobody has the secret of
    /// is there until the next run.
    async fn create(&mut self, began: Instant) -> Result<IssuedKey, Failure> {
        let mut patience = self.patience(0, began);
        loop {
            let error = match self.send().await? {
                Ok(applied) => {
                    return applied.secret.ok_or_else(|| {
                        Failure::new("the vendor gave no secret").hint(REPLACED_NEXT)
                    });
                }
                Err(error) => error,
            };
            let after = match (error.retry(), error.kind) {
                (Retry::Again { after }, _) => after,
                (Retry::Look, ErrorKind::Conflict) => None,
                // What this run made can be still on its way.
                (Retry::Look, ErrorKind::NotFound) if self.refers_to_new() => None,
                (Retry::Look, ErrorKind::LostReply) => {
                    return Err(Failure::of(&error).hint(format!(
                        "if a key was issued, its secret is lost; {REPLACED_NEXT}"
                    )));
                }
                (Retry::Look | Retry::Never, _) => return Err(Failure::of(&error)),
            };
            if let Err(gave_up) = patience.pause(after, &self.shared.halt).await {
                let mut failure = Failure::of(&error);
                failure.why = format!("{}; {gave_up}", failure.why);
                return Err(failure);
            }
        }
    }

    /// Revokes a key that nobody got, like any other revocation. Gives what to tell.
    async fn take_back(&mut self, key: &IssuedKey, refusal: &str, began: Instant) -> Failure {
        let (Step::IssueCredential { user, subject, kind, .. }, Some(id)) =
            (&self.change.step, self.references.first())
        else {
            return Failure::new(refusal);
        };
        let credential = Credential {
            user: id.clone(),
            kind: kind.clone(),
            id: key.id.clone(),
            handed_over: None,
        };
        let revocation = Change {
            step: Step::RevokeCredential {
                user: user.name.clone(),
                subject: subject.clone(),
                credential: Box::new(credential),
                replaced_by: None,
            },
            verified: true,
            ..self.change.clone()
        };
        let mut work = Work {
            change: &revocation,
            references: Vec::new(),
            cloud: self.cloud,
            pace: self.pace,
            shared: self.shared,
            has_turn: false,
            calls: self.calls,
        };
        match work.attempts(began).await {
            Ok(_) => Failure::new(refusal)
                .hint("the new key was revoked at once; put the sink right and run again"),
            Err(failure) => Failure::new(format!(
                "{refusal}; and the new key {} could not be revoked: {}",
                key.id, failure.why
            ))
            .hint("revoke it by hand, or run again: the next run revokes it"),
        }
    }

    /// Notes on the user that the key was handed over. Safe to repeat, so every doubt is a reason
    /// to.
    async fn note(&mut self, key: &IssuedKey, began: Instant) -> Result<(), Failure> {
        let mut patience = self.patience(1, began);
        loop {
            self.next_call().await?;
            let sent = Instant::now();
            let call = self.cloud.note_handover(self.change, &self.references, &key.id);
            let answer = match tokio::time::timeout(self.shared.options.call_time, call).await {
                Ok(answer) => answer,
                Err(_) => Err(self.no_answer("note")),
            };
            let request_id = answer.as_ref().ok().and_then(|applied| applied.request_id.clone());
            self.note_call("note", sent, request_id, answer.as_ref().err());
            let Err(error) = answer else { return Ok(()) };
            let gave_up = match error.retry() {
                Retry::Again { after } => patience.pause(after, &self.shared.halt).await.err(),
                Retry::Look => patience.pause(None, &self.shared.halt).await.err(),
                Retry::Never => Some("repeating does not help".to_owned()),
            };
            if let Some(gave_up) = gave_up {
                let mut failure = Failure::of(&error);
                failure.why = format!(
                    "the key was handed over, but that could not be noted: {}; {gave_up}",
                    failure.why
                );
                return Err(failure.hint(REPLACED_NEXT));
            }
        }
    }
}
