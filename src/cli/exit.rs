//! How a run can end, as documented constants: cron jobs and scripts branch on them.

/// The exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum ExitCode {
    /// Everything is as it should be, or was made so.
    Success = 0,
    /// Something unforeseen; a bug or a broken machine.
    Unexpected = 1,
    /// Wrong usage, or an error in the inventory, the policies or the operator's file.
    BadInput = 2,
    /// Changes were held by a guard rule; everything else was done.
    Held = 3,
    /// A directory or an account could not be read completely; no removal was made on account of it.
    IncompleteSource = 4,
    /// Some changes failed.
    PartialFailure = 5,
    /// Another run holds the lock.
    Locked = 6,
    /// A saved plan no longer matches what it was made from.
    PlanMoved = 7,
    /// Interrupted, or declined when asked; what was under way was finished, the rest was not begun.
    Interrupted = 8,
    /// The run record does not verify.
    RecordDamaged = 9,
    /// With `--detailed-exitcode`: nothing is wrong and there are changes to make.
    ChangesPending = 10,
    /// Something odd in a directory or in the way at a cloud was left alone; everything else was
    /// done.
    LeftAlone = 11,
    /// Everything was done that can be done now; a vendor has not finished something, and the next
    /// run goes on from there.
    Waiting = 12,
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code as u8)
    }
}

/// The exit codes for `--help`.
pub(super) const HELP: &str = "\
Exit codes:
   0  everything is as it should be, or was made so
   1  something unforeseen
   2  wrong usage, or an error in the inventory, the policies or the operator's file
   3  changes were held by a guard rule; everything else was done
   4  a directory or account was not read completely; nothing was removed on account of it
   5  some changes failed
   6  another run holds the lock
   7  a saved plan no longer matches what it was made from
   8  interrupted, or declined when asked; what was under way was finished
   9  the run record does not verify
  10  with --detailed-exitcode: nothing is wrong and there are changes to make
  11  something a finding names was left alone, everything else was done
  12  everything was done that can be done now; a vendor has not finished something";
