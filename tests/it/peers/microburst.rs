//! `microburst`, somebody else's idea of how AWS fails, in front of a server.
//!
//! [`Wire`](super::wire::Wire) is exact about positions and quick to start; this one checks our
//! faults against others', which it renders from the vendor's own service models.
//!
//! Rules (0.10.0, `rules.py`): a list of objects. Which calls: `service` (as in the scope of the
//! credentials), `operation`, `times` (at most so often), `probability`, `sequence: {fail, pass}`.
//! What: `error: {code, status}`, `latency: {min, max}` in milliseconds, `timeout_ms`, `reset: true`
//! (before the server), and after it `response: {truncate_frac, abort_frac, abort_bytes, corrupt_bytes}`.
//! POST replaces all rules, so `[]` clears them. A misspelt key is ignored.

use std::net::SocketAddr;

use serde_json::{Value, json};

use super::http::Request;
use super::python::PythonServer;

/// A running proxy, ended when dropped.
pub struct Microburst {
    server: PythonServer,
}

impl Microburst {
    /// Starts a proxy in front of a server.
    ///
    /// Takes some seconds: the first call it proxies makes it read the models of all services, so
    /// one is sent at once.
    pub fn start(upstream: SocketAddr) -> Self {
        let arguments = |port: u16| {
            let (upstream, port) = (format!("http://{upstream}"), port.to_string());
            let arguments = ["--upstream", &upstream, "--host", "127.0.0.1", "--port", &port];
            arguments.map(str::to_owned).into()
        };
        let listening = |port| format!("listening on http://127.0.0.1:{port}");
        let server = PythonServer::start(&["-m", "microburst"], &[], arguments, listening);
        let started = Self { server };
        // It says so a moment before it does.
        let listens = || std::net::TcpStream::connect(started.address()).is_ok();
        assert!(super::process::wait_until(listens), "microburst does not listen");
        let scope = "Credential=x/20260101/us-east-1/sts/aws4_request";
        let authorisation = format!("AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=x");
        let headers = [
            ("Authorization", authorisation.as_str()),
            ("Content-Type", "application/x-www-form-urlencoded"),
        ];
        Request::post("/", &headers, "Action=GetCallerIdentity&Version=2011-06-15")
            .send(started.address())
            .expect("microburst answers");
        started
    }

    /// `http://127.0.0.1:…`, to be given to the program as its endpoint.
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Replaces all rules; those that are kept count from nothing.
    pub fn set_rules(&self, rules: &[Value]) {
        let kept = self.control("POST", "rules", &json!(rules));
        let kept = kept.as_array().map_or(0, Vec::len);
        assert_eq!(kept, rules.len(), "microburst did not take all rules");
    }

    /// From now on nothing goes wrong.
    pub fn clear_rules(&self) {
        self.set_rules(&[]);
    }

    /// What went wrong so far: objects with `service`, `operation` and `action`.
    pub fn fired(&self) -> Vec<Value> {
        self.control("GET", "fired", &Value::Null).as_array().cloned().unwrap_or_default()
    }

    fn control(&self, method: &str, what: &str, body: &Value) -> Value {
        let headers = [("Content-Type", "application/json")];
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let mut request = Request::post(&format!("/_microburst/{what}"), &headers, &body);
        request.method = method.into();
        let reply = request.send(self.address()).expect("microburst answers");
        assert_eq!(reply.status, 200, "{}", reply.text());
        serde_json::from_slice(&reply.body).expect("JSON")
    }
}

#[test]
fn rules_come_and_go() {
    use super::moto::{Account, Moto};
    let moto = Moto::start();
    let behind = moto.account("111111111111");
    let burst = Microburst::start(moto.address());
    let before = Account::new(burst.address(), behind.id());
    let create = |name: &str| before.try_iam("CreateGroup", &[("GroupName", name)]);
    let rule = |what: Value| {
        let mut rule = json!({"service": "iam", "operation": "CreateGroup", "times": 1});
        rule.as_object_mut().expect("an object").extend(what.as_object().expect("one").clone());
        rule
    };

    burst.set_rules(&[rule(json!({"error": {"code": "Throttling", "status": 400}}))]);
    before.iam("ListGroups", &[]);
    let refused = create("throttled").unwrap_err();
    assert_eq!((refused.status, &*refused.code), (400, "Throttling"));
    create("after").expect("once only");
    assert_eq!(burst.fired().len(), 1);
    assert_eq!(burst.fired()[0]["operation"], "CreateGroup");

    // The reply is lost; the write is not.
    burst.set_rules(&[rule(json!({"response": {"abort_frac": 0.5}}))]);
    let lost = std::panic::catch_unwind(|| create("lost"));
    assert!(lost.is_err(), "{lost:?}");
    let names = behind.iam("ListGroups", &[]).all("GroupName");
    assert_eq!(names, ["after", "lost"]);

    burst.set_rules(&[rule(json!({"reset": true}))]);
    burst.clear_rules();
    create("well").expect("no rules any more");
    assert!(burst.url().starts_with("http://127.0.0.1:"));
}
