//! What every cloud must do, as tests against the traits alone.
//!
//! A cloud passes by calling [`conformance_tests!`](crate::conformance_tests) in its integration
//! tests with something that makes a [`Fixture`]: one named test per case comes of it. What a
//! fixture cannot arrange (a simulator without faults, a vendor without a certain limit) it says
//! so, and the case counts as not tried; [`not_tried`] lists these for a test to pin down.
//!
//! Cases panic where the cloud is wrong, like any test. Nothing of the program calls them.

mod bench;
mod failures;
mod keys;
mod ownership;
mod reading;
mod steps;

use std::future::Future;
use std::pin::Pin;

use async_trait::async_trait;

use super::Vendor;
use crate::model::{Account, Attachment, Credential, HolderKind, Kind, RoleSpec, VendorId};

/// A cloud with two empty accounts, and a way behind its back.
///
/// Every case gets a fixture of its own. What returns a `bool` or an `Option` may decline.
#[async_trait]
pub trait Fixture: Send + Sync {
    /// The cloud.
    fn vendor(&self) -> &dyn Vendor;

    /// The account for users and groups, of some organisation.
    fn hub(&self) -> Account;

    /// Another account of the same organisation, for roles and bindings. May be the hub where
    /// the vendor has no others.
    fn target(&self) -> Account;

    /// A name nobody has, made from a stem of at most ten letters.
    fn name(&self, stem: &str) -> String {
        stem.to_owned()
    }

    /// A role the vendor accepts; `other` gives one that differs in what it means.
    fn role(&self, name: &str, other: bool) -> RoleSpec;

    /// A user in the hub without a mark.
    async fn foreign_user(&self, name: &str) -> VendorId;

    /// A group in the hub without a mark.
    async fn foreign_group(&self, name: &str) -> VendorId;

    /// A role in the target account without a mark.
    async fn foreign_role(&self, name: &str) -> VendorId;

    /// Somebody puts a user in a group of the hub by hand.
    async fn join_by_hand(&self, user: &VendorId, group: &VendorId);

    /// Something that can be attached to a role by this program; `other` gives one of the same
    /// kind and name that says something else, where such a thing has content.
    fn attachment(&self, _other: bool) -> Option<Attachment> {
        None
    }

    /// Somebody attaches something by hand to a user or group of the hub, or to a role of the
    /// target account.
    async fn attach_by_hand(&self, _kind: HolderKind, _to: &VendorId) -> Option<Attachment> {
        None
    }

    /// A user of the hub makes a credential.
    async fn give_credential(&self, user: &VendorId) -> Option<Credential>;

    /// Somebody disables a user of the hub by hand.
    async fn disable_by_hand(&self, user: &VendorId) -> bool;

    /// Somebody renames a user of the hub by hand.
    async fn rename_by_hand(&self, user: &VendorId, name: &str) -> bool;

    /// Lists come in pages of so many.
    async fn page_size(&self, items: usize) -> bool;

    /// Reads do not show what the next so many calls wrote.
    async fn lag(&self, calls: u64) -> bool;

    /// The next write goes wrong.
    async fn next_write_fails(&self, trouble: Trouble) -> bool;

    /// The next page of a list of such objects goes wrong.
    async fn next_list_fails(&self, kind: Kind, trouble: ListTrouble) -> bool;

    /// How many calls reached the vendor, and how many of them changed anything.
    async fn calls(&self) -> Option<Calls>;
}

/// Calls that reached the vendor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Calls {
    /// All of them.
    pub all: u64,
    /// Those that changed anything.
    pub writes: u64,
}

/// What can go wrong with a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Nothing happens; the vendor asks to come back in two seconds.
    Throttle,
    /// Nothing happens.
    Unavailable,
    /// It happens; the reply does not arrive.
    LostReply,
    /// Nothing happens, and there is no reply.
    Stall,
    /// It happens, and there is no reply.
    StallAfter,
    /// Not allowed.
    Denied,
    /// Our credentials have expired.
    Expired,
    /// A quota is used up.
    Quota,
    /// Somebody else is changing the object.
    Conflict,
}

/// What can go wrong with a page of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListTrouble {
    /// Half of its items are missing.
    Truncated,
    /// A success without items.
    Empty,
    /// An error.
    Unavailable,
    /// Not allowed.
    Denied,
    /// No reply.
    Stall,
}

impl ListTrouble {
    const ALL: [Self; 5] =
        [Self::Truncated, Self::Empty, Self::Unavailable, Self::Denied, Self::Stall];
}

/// What came of a case that did not panic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    /// The cloud does what it must.
    Passed,
    /// The fixture cannot arrange what the case needs.
    NotTried(&'static str),
}

type Running<'a> = Pin<Box<dyn Future<Output = Verdict> + Send + 'a>>;

/// One thing every cloud must do.
pub struct Case {
    /// Its name: what must be so.
    pub name: &'static str,
    run: for<'a> fn(&'a dyn Fixture) -> Running<'a>,
}

impl Case {
    /// Runs it.
    ///
    /// # Panics
    /// If the cloud is wrong.
    pub async fn run(&self, fixture: &dyn Fixture) -> Verdict {
        (self.run)(fixture).await
    }
}

/// The names of the cases a fixture cannot arrange. `fixture` makes a new one for each case.
pub async fn not_tried<F: Fixture, Making: Future<Output = F>>(
    fixture: impl Fn() -> Making,
) -> Vec<&'static str> {
    let mut names = Vec::new();
    for case in CASES {
        if let Verdict::NotTried(_) = case.run(&fixture().await).await {
            names.push(case.name);
        }
    }
    names
}

macro_rules! cases {
    ($dollar:tt $($module:ident { $($case:ident)* })*) => {
        /// Everything a cloud must do.
        pub const CASES: &[Case] = &[$($(Case {
            name: stringify!($case),
            run: |fixture| Box::pin($module::$case(fixture)),
        },)*)*];

        /// One test per conformance case: `conformance_tests!(#[tokio::test] make().await)`.
        #[macro_export]
        macro_rules! conformance_tests {
            ($dollar(#[$dollar attribute:meta])+ $dollar fixture:expr) => {$($(
                $dollar(#[$dollar attribute])+
                async fn $case() {
                    let fixture = $dollar fixture;
                    let name = stringify!($case);
                    let case = $crate::cloud::conformance::CASES
                        .iter()
                        .find(|case| case.name == name)
                        .expect("the table and these tests come from one list");
                    let _verdict = case.run(&fixture).await;
                }
            )*)*};
        }
    };
}

cases! { $
    steps {
        a_created_user_is_there_and_ours_and_has_no_credential
        a_user_is_updated
        a_user_is_suspended_and_restored
        a_suspended_user_can_be_renamed_and_stays_suspended
        a_user_is_deleted
        a_credential_is_revoked
        a_group_is_created_renamed_and_deleted
        a_member_is_added_and_removed
        a_role_is_created_updated_and_deleted
        a_role_is_bound_and_unbound
        something_is_attached_to_a_role_replaced_and_detached
        what_was_attached_by_hand_is_seen_and_detached
        every_step_is_at_most_one_write
    }
    keys {
        a_key_is_issued_and_counts_as_handed_over_once_noted
        of_two_keys_both_stay_noted
        keys_are_issued_to_nobody_else
        a_lost_reply_leaves_a_key_that_counts_as_lost
    }
    ownership {
        foreign_objects_are_listed_as_foreign
        foreign_objects_are_refused
        nobody_elses_user_or_group_gets_anything
        a_foreign_member_of_our_group_can_be_removed
        another_organisations_objects_are_foreign
        an_object_that_stands_for_somebody_else_is_refused
        a_user_disabled_by_hand_reads_as_disabled
        what_changed_since_the_plan_is_refused
        what_has_no_mark_is_adopted_and_nothing_else
    }
    reading {
        an_empty_account_is_completely_read
        pages_of_one_show_everything
        a_list_that_goes_wrong_makes_the_reading_partial
        what_does_not_exist_is_looked_up_as_nothing
        names_are_found_as_the_vendor_compares_them
        reading_costs_pages_not_members
        profiles_come_back_as_they_were
        credentials_of_nobody_are_a_partial_reading_or_none
    }
    failures {
        a_lost_reply_is_found_by_looking
        a_stalled_write_ends_in_a_lost_reply
        what_did_not_happen_may_be_repeated
        errors_have_their_kinds
        a_taken_name_is_taken_in_any_case
        a_forbidden_name_is_invalid
        a_user_with_credentials_or_memberships_is_not_deleted
        a_group_with_members_or_roles_is_not_deleted
        a_bound_role_is_not_deleted
        what_is_not_yet_visible_becomes_visible
    }
}
