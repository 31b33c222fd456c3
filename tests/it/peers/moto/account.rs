//! One account of the server, as its administrators work in it by hand.

use std::fmt;
use std::net::SocketAddr;

use serde_json::{Value, json};

use super::super::certificates;
use super::super::http::{Reply, Request};
use super::xml::Xml;

/// A policy document.
pub type Document = Value;

/// A call that was not answered with 200.
#[derive(Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Of HTTP.
    pub status: u16,
    /// AWS's code; empty if there is none, as in moto's own crashes.
    pub code: String,
    /// The whole body.
    pub body: String,
}

impl fmt::Debug for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}: {}", self.status, self.code, self.body)
    }
}

/// One account of a server.
#[derive(Clone, Debug)]
pub struct Account {
    address: SocketAddr,
    id: String,
    region: String,
}

impl Account {
    /// An account of the server at an address, or at that of a proxy in front of it.
    pub fn new(address: SocketAddr, id: &str) -> Self {
        Self { address, id: id.into(), region: "us-east-1".into() }
    }

    /// The same account in another region, and so perhaps in another partition.
    #[must_use]
    pub fn in_region(&self, region: &str) -> Self {
        Self { region: region.into(), ..self.clone() }
    }

    /// Its number.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// A call of IAM; gives the code when it is refused.
    pub fn try_iam(&self, action: &str, parameters: &[(&str, &str)]) -> Result<Xml, Refusal> {
        self.query("iam", "2010-05-08", action, parameters)
    }

    /// A call of IAM that must succeed.
    pub fn iam(&self, action: &str, parameters: &[(&str, &str)]) -> Xml {
        expect(action, self.try_iam(action, parameters))
    }

    /// A call of STS that must succeed.
    pub fn sts(&self, action: &str, parameters: &[(&str, &str)]) -> Xml {
        expect(action, self.query("sts", "2011-06-15", action, parameters))
    }

    /// A call of a service that speaks JSON: `target` is its header, such as
    /// `AWSIdentityStore.ListUsers`; gives the code when it is refused.
    pub fn try_json(&self, target: &str, body: &Value) -> Result<Value, Refusal> {
        let service = match target.split_once('.') {
            Some(("AWSIdentityStore", _)) => "identitystore",
            Some(("SWBExternalService", _)) => "sso",
            Some(("AWSOrganizationsV20161128", _)) => "organizations",
            _ => panic!("{target} is of no known service"),
        };
        let headers = [("X-Amz-Target", target), ("Content-Type", "application/x-amz-json-1.1")];
        let reply = self.send(service, &headers, &body.to_string());
        let parsed: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        if reply.status == 200 {
            return Ok(parsed);
        }
        let code = parsed["__type"].as_str().unwrap_or_default();
        Err(refusal(&reply, code.rsplit('#').next().unwrap_or_default()))
    }

    /// A call of a service that speaks JSON, which must succeed.
    pub fn json(&self, target: &str, body: &Value) -> Value {
        expect(target, self.try_json(target, body))
    }

    fn query(
        &self,
        service: &str,
        version: &str,
        action: &str,
        parameters: &[(&str, &str)],
    ) -> Result<Xml, Refusal> {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("Action", action).append_pair("Version", version);
        form.extend_pairs(parameters);
        let headers = [("Content-Type", "application/x-www-form-urlencoded")];
        let reply = self.send(service, &headers, &form.finish());
        if reply.status == 200 {
            return Ok(Xml::new(reply.text()));
        }
        let code = reply.text();
        let code = code.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>"));
        Err(refusal(&reply, code.map(|(code, _)| code).unwrap_or_default()))
    }

    fn send(&self, service: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        // Nobody checks it unless authorisation is on; it says which service is meant.
        let authorisation = format!(
            "AWS4-HMAC-SHA256 Credential=AKIABEHINDTHEBACK/20260101/{}/{service}/aws4_request, \
             SignedHeaders=host, Signature=none",
            self.region
        );
        let mut headers = headers.to_vec();
        headers.push(("Authorization", &authorisation));
        headers.push(("x-moto-account-id", &self.id));
        Request::post("/", &headers, body).send(self.address).expect("moto answers")
    }
}

/// What administrators make by hand.
impl Account {
    /// A user; gives its ARN.
    pub fn user(&self, name: &str, path: &str, tags: &[(&str, &str)]) -> String {
        let mut parameters = vec![("UserName", name), ("Path", path)];
        let tags = tag_parameters(tags);
        parameters.extend(tags.iter().map(|(key, value)| (key.as_str(), value.as_str())));
        self.iam("CreateUser", &parameters).text("Arn")
    }

    /// A group; gives its ARN.
    pub fn group(&self, name: &str, path: &str) -> String {
        self.iam("CreateGroup", &[("GroupName", name), ("Path", path)]).text("Arn")
    }

    /// Puts a user into a group.
    pub fn member(&self, user: &str, group: &str) {
        self.iam("AddUserToGroup", &[("UserName", user), ("GroupName", group)]);
    }

    /// A role that whoever `trust` names may assume; gives its ARN.
    pub fn role(&self, name: &str, path: &str, trust: &Document, tags: &[(&str, &str)]) -> String {
        let trust = trust.to_string();
        let mut parameters =
            vec![("RoleName", name), ("Path", path), ("AssumeRolePolicyDocument", &trust)];
        let tags = tag_parameters(tags);
        parameters.extend(tags.iter().map(|(key, value)| (key.as_str(), value.as_str())));
        self.iam("CreateRole", &parameters).text("Arn")
    }

    /// A managed policy of the account; gives its ARN.
    pub fn policy(&self, name: &str, path: &str, document: &Document) -> String {
        let document = document.to_string();
        let parameters =
            [("PolicyName", name), ("Path", path), ("PolicyDocument", document.as_str())];
        self.iam("CreatePolicy", &parameters).text("Arn")
    }

    /// Attaches a managed policy to a `User`, `Group` or `Role`.
    pub fn attach(&self, kind: &str, name: &str, policy_arn: &str) {
        let (action, key) = (format!("Attach{kind}Policy"), format!("{kind}Name"));
        self.iam(&action, &[(&key, name), ("PolicyArn", policy_arn)]);
    }

    /// Writes a policy into a `User`, `Group` or `Role`.
    pub fn inline(&self, kind: &str, name: &str, policy: &str, document: &Document) {
        let (action, key) = (format!("Put{kind}Policy"), format!("{kind}Name"));
        let document = document.to_string();
        let parameters = [(&*key, name), ("PolicyName", policy), ("PolicyDocument", &*document)];
        self.iam(&action, &parameters);
    }

    /// An access key of a user: id and secret.
    pub fn access_key(&self, user: &str) -> (String, String) {
        let reply = self.iam("CreateAccessKey", &[("UserName", user)]);
        (reply.text("AccessKeyId"), reply.text("SecretAccessKey"))
    }

    /// A password, with which a user can log in.
    pub fn password(&self, user: &str) {
        self.iam("CreateLoginProfile", &[("UserName", user), ("Password", "Correct-horse-1")]);
    }

    /// A virtual MFA device, enabled; gives its serial number.
    pub fn virtual_mfa(&self, user: &str) -> String {
        let reply = self.iam("CreateVirtualMFADevice", &[("VirtualMFADeviceName", user)]);
        let serial = reply.text("SerialNumber");
        self.enable_mfa(user, &serial);
        serial
    }

    /// Enables an MFA device that one can hold in one's hand.
    pub fn enable_mfa(&self, user: &str, serial: &str) {
        let parameters = [
            ("UserName", user),
            ("SerialNumber", serial),
            ("AuthenticationCode1", "123456"),
            ("AuthenticationCode2", "654321"),
        ];
        self.iam("EnableMFADevice", &parameters);
    }

    /// An SSH key; gives its id.
    pub fn ssh_key(&self, user: &str) -> String {
        let parameters = [("UserName", user), ("SSHPublicKeyBody", "ssh-rsa AAAAB3NzaC1yc2E=")];
        self.iam("UploadSSHPublicKey", &parameters).text("SSHPublicKeyId")
    }

    /// A signing certificate; gives its id.
    pub fn signing_certificate(&self, user: &str) -> String {
        let body = certificates::self_signed(user);
        let parameters = [("UserName", user), ("CertificateBody", body.as_str())];
        self.iam("UploadSigningCertificate", &parameters).text("CertificateId")
    }

    /// A credential for one service; gives its id.
    pub fn service_credential(&self, user: &str) -> String {
        let parameters = [("UserName", user), ("ServiceName", "codecommit.amazonaws.com")];
        self.iam("CreateServiceSpecificCredential", &parameters).text("ServiceSpecificCredentialId")
    }

    /// Everything a real user collects, except memberships.
    pub fn everything(&self, user: &str) {
        let document = allow("s3:ListAllMyBuckets");
        self.access_key(user);
        self.access_key(user);
        self.password(user);
        self.virtual_mfa(user);
        self.enable_mfa(user, "GAHT12345678");
        self.ssh_key(user);
        self.signing_certificate(user);
        self.inline("User", user, "by-hand", &document);
        let policy = self.policy(&format!("for-{user}"), "/", &document);
        self.attach("User", user, &policy);
        self.service_credential(user);
        let boundary = [("UserName", user), ("PermissionsBoundary", policy.as_str())];
        self.iam("PutUserPermissionsBoundary", &boundary);
    }
}

/// A document that allows one action on everything.
pub fn allow(action: &str) -> Document {
    json!({
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}],
    })
}

/// A document by which a principal may assume a role.
pub fn trust(principal_arn: &str) -> Document {
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": {"AWS": principal_arn},
            "Action": "sts:AssumeRole",
        }],
    })
}

fn tag_parameters(tags: &[(&str, &str)]) -> Vec<(String, String)> {
    tags.iter()
        .zip(1..)
        .flat_map(|((key, value), number)| {
            [
                (format!("Tags.member.{number}.Key"), (*key).to_owned()),
                (format!("Tags.member.{number}.Value"), (*value).to_owned()),
            ]
        })
        .collect()
}

fn expect<T>(what: &str, result: Result<T, Refusal>) -> T {
    result.unwrap_or_else(|refusal| panic!("{what}: {refusal:?}"))
}

fn refusal(reply: &Reply, code: &str) -> Refusal {
    Refusal { status: reply.status, code: code.into(), body: reply.text() }
}
