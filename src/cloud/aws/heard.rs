//! Hears AWS's clock: every answer has a `Date`, also one that is an error.

use std::sync::Arc;

use aws_sdk_iam::config::interceptors::BeforeDeserializationInterceptorContextRef;
use aws_sdk_iam::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_iam::error::BoxError;

use crate::cloud::clock::HeardClock;

/// Hears the clock in every answer.
#[derive(Clone, Debug)]
pub(super) struct Hears(pub(super) Arc<HeardClock>);

impl Intercept for Hears {
    fn name(&self) -> &'static str {
        "Hears"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(date) = context.response().headers().get("date") {
            self.0.hear(date);
        }
        Ok(())
    }
}
