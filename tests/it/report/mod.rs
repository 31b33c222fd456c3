//! Tests of report.

mod metrics;
