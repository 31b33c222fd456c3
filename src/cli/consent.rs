//! Asking whoever sits at the terminal before anything is changed.
//!
//! Only where somebody can see the question and answer it: stdin and stderr are terminals. Cron,
//! pipelines and `--yes` are not asked.

use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::perform::unless_interrupted;
use super::{ExitCode, Failure};
use crate::guard::ApprovedPlan;
use crate::plan::Effect;

/// The lock is held while the question stands: other runs must not wait for somebody who left.
const PATIENCE: Duration = Duration::from_mins(10);

/// Whether a run asks before its first change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Consent {
    /// It was given on the command line, or nobody is there to be asked.
    Given,
    /// Somebody is, and was not.
    ToAsk,
}

impl Consent {
    /// As the command line and what it was started from say.
    pub(super) fn of(yes: bool) -> Self {
        let somebody = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
        if yes || !somebody { Self::Given } else { Self::ToAsk }
    }

    /// Whether the plan must have been shown before [`Consent::wait`].
    pub(super) fn asks(self, plan: &ApprovedPlan) -> bool {
        self == Self::ToAsk && plan.plan().changes.len() > plan.held().len()
    }

    /// Asks, if somebody is to be asked and something would be changed.
    ///
    /// # Errors
    /// The answer was not yes, or there was none. Nothing was changed.
    pub(super) async fn wait(
        self,
        plan: &ApprovedPlan,
        interrupt: &CancellationToken,
    ) -> Result<(), Failure> {
        if !self.asks(plan) {
            return Ok(());
        }
        write!(std::io::stderr(), "{} [y/N] ", question(plan))?;
        let answer = tokio::time::timeout(PATIENCE, unless_interrupted(interrupt, line()));
        match answer.await {
            Ok(Ok(answer)) if is_yes(&answer) => Ok(()),
            Ok(Ok(_)) => Err(declined("the answer was not yes")),
            Ok(Err(interrupted)) => Err(interrupted),
            Err(_) => Err(declined("there was no answer for ten minutes")),
        }
    }
}

fn declined(why: &str) -> Failure {
    Failure::new(ExitCode::Interrupted, format!("{why}; nothing was changed"))
        .hint("with --yes nobody is asked")
}

fn question(plan: &ApprovedPlan) -> String {
    let held = plan.held();
    let made = plan.plan().changes.iter().filter(|change| !held.contains_key(&change.id));
    let (mut all, mut removals) = (0_usize, 0_usize);
    for change in made {
        all += 1;
        removals += usize::from(change.step.effect() == Effect::Removal);
    }
    let noun = if all == 1 { "this change" } else { "these changes" };
    let removals = match removals {
        0 => "nobody loses anything".to_owned(),
        1 => "1 of them is a removal".to_owned(),
        many => format!("{many} of them are removals"),
    };
    let held = match held.len() {
        0 => String::new(),
        held => format!("; {held} more stay held"),
    };
    format!("Make {noun} ({all}; {removals}{held})?")
}

fn is_yes(answer: &str) -> bool {
    matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}

/// One line of stdin; nothing where it ended. Read by a thread of its own: one of the runtime's
/// would keep the program from ending while it waits.
async fn line() -> String {
    let (send, receive) = oneshot::channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        let read = std::io::stdin().read_line(&mut line);
        // Nobody waits any more: it was interrupted.
        let _ = send.send(read.map(|_| line).unwrap_or_default());
    });
    receive.await.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_yes_is_yes() {
        for (answer, yes) in [
            ("y\n", true),
            ("YES\r\n", true),
            (" yes ", true),
            ("", false),
            ("\n", false),
            ("n\n", false),
            ("yes please\n", false),
            ("yy\n", false),
        ] {
            assert_eq!(is_yes(answer), yes, "{answer:?}");
        }
    }
}
