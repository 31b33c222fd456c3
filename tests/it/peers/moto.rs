//! `moto`, a server that speaks AWS's protocols, and a client that works behind the program's back.
//!
//! One server holds any number of accounts: the header `x-moto-account-id` says which one a call
//! is for, and the credentials that `AssumeRole` gives lead to the account of the role's ARN.
//! An unknown access key leads to [`DEFAULT_ACCOUNT`]; give the program one made with
//! [`Account::access_key`], so that its calls reach the account they should.
//!
//! What it gets wrong is in [`facts`]. The most important of it is put right by
//! `tests/peers/moto_and_more.py`, which is what runs here.

pub mod account;
pub mod dump;
pub mod facts;
mod tests;
pub mod xml;

use std::net::SocketAddr;

use super::http::Request;
use super::python::PythonServer;

pub use account::{Account, allow, trust};

/// moto's server, with what it lacks.
const PROGRAM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/moto_and_more.py");

/// Where calls with unknown credentials go.
pub const DEFAULT_ACCOUNT: &str = "123456789012";

/// A running server, ended when dropped.
pub struct Moto {
    server: PythonServer,
}

impl Moto {
    /// Starts a server without anything in it, which lets everybody do everything.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts a server that also knows the policies AWS itself keeps (`AdministratorAccess`, …).
    /// The first call in each account takes a good deal longer with them.
    pub fn start_with_managed_policies() -> Self {
        Self::start_with(&[("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")])
    }

    /// Starts a server whose accounts have room for so many characters of policies in a group.
    pub fn start_with_small_groups(size: usize) -> Self {
        Self::start_with(&[("GROUP_POLICY_SIZE", &size.to_string())])
    }

    fn start_with(environment: &[(&str, &str)]) -> Self {
        let arguments = |port: u16| {
            ["-H", "127.0.0.1", "-p", &port.to_string()].map(str::to_owned).into_iter().collect()
        };
        let listening = |port| format!("Running on http://127.0.0.1:{port}");
        let server = PythonServer::start(&[PROGRAM], environment, arguments, listening);
        Self { server }
    }

    /// `http://127.0.0.1:…`
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// What it wrote so far: a line per call, and what went wrong inside it.
    pub fn log(&self) -> String {
        self.server.log()
    }

    /// Ends the server at once, as a crash would.
    pub fn kill(&mut self) {
        self.server.end();
    }

    /// An account, which is there as soon as it is named.
    pub fn account(&self, id: &str) -> Account {
        Account::new(self.address(), id)
    }

    /// Forgets everything.
    pub fn reset(&self) {
        self.administer("reset", "");
    }

    /// Keeps IAM of all accounts as it is now, for [`restore`](Self::restore).
    pub fn keep(&self) {
        self.administer("keep", "");
    }

    /// Brings IAM of all accounts back to where it was when kept: ids, keys and all.
    pub fn restore(&self) {
        self.administer("restore", "");
    }

    /// Whether signatures and policies are checked from now on.
    ///
    /// [`Account`] signs nothing: make the world first, then switch this on, run the program, and
    /// switch it off to look at what became of it.
    pub fn authorise(&self, on: bool) {
        self.administer("reset-auth", if on { "0" } else { "inf" });
    }

    fn administer(&self, what: &str, body: &str) {
        let reply = Request::post(&format!("/moto-api/{what}"), &[], body)
            .send(self.address())
            .expect("moto answers");
        assert_eq!(reply.status, 200, "{}", reply.text());
    }
}
