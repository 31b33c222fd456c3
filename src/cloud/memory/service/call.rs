//! One call from request to reply, with whatever goes wrong on the way.

use std::sync::Mutex;

use super::super::api::{Code, Failure, Page, Reply, Service, lock};
use super::fault::Fault;
use super::rules::reset;
use super::state::{Mutation, State};
use super::world::{Operation, World};

/// What a call gives, and what it changes.
pub(in super::super) type Outcome<T> = Result<(T, Option<Mutation>), Failure>;

impl Service {
    /// A page of a list.
    pub(in super::super) async fn list<T>(
        &self,
        operation: Operation,
        object: &str,
        token: Option<String>,
        page: impl FnOnce(&State, Option<&str>, usize) -> Result<Page<T>, Failure>,
    ) -> Result<Reply<Page<T>>, Failure> {
        let size = lock(&self.world).behaviour.page_size.max(1);
        let (mut reply, fault) = self
            .call(operation, object, |seen, _| Ok((page(seen, token.as_deref(), size)?, None)))
            .await?;
        let page = &mut reply.body;
        match fault {
            Some(Fault::TruncatedPage) => page.items.truncate(page.items.len() / 2),
            Some(Fault::EmptyPage) => {
                page.items.clear();
                page.next = None;
            }
            _ => {}
        }
        Ok(reply)
    }

    /// A read of one thing.
    pub(in super::super) async fn read<T>(
        &self,
        operation: Operation,
        object: &str,
        work: impl FnOnce(&State) -> Result<T, Failure>,
    ) -> Result<Reply<T>, Failure> {
        self.unpaged(operation, object, |seen, _| Ok((work(seen)?, None))).await
    }

    /// A write: `work` gets the state as reads see it, and as it is.
    pub(in super::super) async fn write<T>(
        &self,
        operation: Operation,
        object: &str,
        work: impl FnOnce(&State, &State) -> Outcome<T>,
    ) -> Result<Reply<T>, Failure> {
        self.unpaged(operation, object, work).await
    }

    async fn unpaged<T>(
        &self,
        operation: Operation,
        object: &str,
        work: impl FnOnce(&State, &State) -> Outcome<T>,
    ) -> Result<Reply<T>, Failure> {
        match self.call(operation, object, work).await? {
            // Half a reply that is not a page is no reply.
            (_, Some(Fault::TruncatedPage | Fault::EmptyPage)) => Err(reset()),
            (reply, _) => Ok(reply),
        }
    }

    /// One call from request to reply, with whatever goes wrong on the way.
    async fn call<T>(
        &self,
        operation: Operation,
        object: &str,
        work: impl FnOnce(&State, &State) -> Outcome<T>,
    ) -> Result<(Reply<T>, Option<Fault>), Failure> {
        if lock(&self.world).crashed {
            std::future::pending::<()>().await;
        }
        let (number, fault, latency) = {
            let mut world = lock(&self.world);
            let (number, fault) = world.begin(&self.account, operation, object);
            (number, fault, world.behaviour.latency)
        };
        let _under_way = UnderWay(&self.world);
        if latency.is_zero() {
            // As at a real vendor, others get their turn while we wait.
            tokio::task::yield_now().await;
        } else {
            tokio::time::sleep(latency).await;
        }
        let request_id = format!("q-{number:08x}");
        if let Some(fault) = fault {
            self.fail_before(fault, &request_id).await?;
        }
        let done = {
            let mut world = lock(&self.world);
            if world.crashed { None } else { Some(world.perform(number, operation, work)) }
        };
        let Some(done) = done else { return std::future::pending().await };
        if let Some(fault) = fault {
            self.fail_after(fault).await?;
        }
        match done {
            Ok(body) => Ok((Reply { body, request_id }, fault)),
            Err(failure) => Err(Failure { request_id: Some(request_id), ..failure }),
        }
    }

    async fn fail_before(&self, fault: Fault, request_id: &str) -> Result<(), Failure> {
        let refuse = |code, message: &str, retry_after| {
            let request_id = Some(request_id.to_owned());
            Err(Failure { code, message: message.to_owned(), request_id, retry_after })
        };
        match fault {
            Fault::Throttle { after } => refuse(Code::Throttling, "too many requests", after),
            Fault::Unavailable => refuse(Code::ServiceUnavailable, "try again later", None),
            Fault::ResetBefore => Err(reset()),
            Fault::Denied => refuse(Code::AccessDenied, "the caller may not do that", None),
            Fault::Expired => refuse(Code::ExpiredToken, "the token has expired", None),
            Fault::Quota => refuse(Code::LimitExceeded, "a quota is used up", None),
            Fault::Conflict => {
                refuse(Code::ConcurrentModification, "the object is being changed", None)
            }
            Fault::Stall => std::future::pending().await,
            Fault::CrashBefore => {
                lock(&self.world).crash();
                std::future::pending().await
            }
            Fault::LostReply
            | Fault::TruncatedPage
            | Fault::EmptyPage
            | Fault::StallAfter
            | Fault::CrashAfter => Ok(()),
        }
    }

    async fn fail_after(&self, fault: Fault) -> Result<(), Failure> {
        match fault {
            Fault::LostReply => Err(reset()),
            Fault::StallAfter => std::future::pending().await,
            Fault::CrashAfter => {
                lock(&self.world).crash();
                std::future::pending().await
            }
            _ => Ok(()),
        }
    }
}

/// Counts a call as under way until it ends, also by being dropped.
struct UnderWay<'a>(&'a Mutex<World>);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        lock(self.0).under_way -= 1;
    }
}
