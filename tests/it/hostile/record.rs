//! Records, approvals, full disks and clocks.
