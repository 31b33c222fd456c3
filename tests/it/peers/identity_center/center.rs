//! Permission sets, what is attached to them, and who is assigned them where.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{CONFLICT, INSTANCE, INVALID, NOT_FOUND, Refusal, STORE, State, text};

/// Most assignments under way at once.
const OUTSTANDING: usize = 15;

/// A permission set.
#[derive(Clone, Debug, Default)]
pub struct Set {
    name: String,
    description: Option<String>,
    session: String,
    relay_state: Option<String>,
    tags: BTreeMap<String, String>,
    managed: BTreeSet<String>,
    referred: BTreeSet<(String, String)>,
    inline: String,
    boundary: Option<Value>,
    version: u64,
}

/// Something under way.
#[derive(Clone, Debug)]
pub struct Pending {
    /// Account (none for all), set and principal, and whether it is to be there in the end.
    account: Option<String>,
    set: String,
    principal: Option<(String, String)>,
    assign: bool,
    calls_left: u32,
    status: &'static str,
    failure: Option<String>,
}

impl State {
    pub(super) fn center(&mut self, action: &str, body: &Value) -> Result<Value, Refusal> {
        if action == "ListInstances" {
            let instances = self.instances.iter().map(|(arn, owner)| {
                json!({
                    "InstanceArn": arn,
                    "IdentityStoreId": STORE,
                    "OwnerAccountId": owner,
                    "Status": "ACTIVE",
                })
            });
            return self.page("Instances", instances.collect(), body);
        }
        let (instance, set) = (text(body, "InstanceArn"), text(body, "PermissionSetArn"));
        let Some((_, owner)) = self.instances.iter().find(|(arn, _)| arn == instance) else {
            return Err(NOT_FOUND);
        };
        match action {
            "DescribeInstance" => Ok(json!({
                "InstanceArn": instance, "IdentityStoreId": STORE, "OwnerAccountId": owner,
            })),
            "CreatePermissionSet" => self.create_set(body),
            "ListPermissionSets" => {
                let sets = self.sets.keys().map(|arn| arn.clone().into()).collect();
                self.page("PermissionSets", sets, body)
            }
            "ListTagsForResource" => {
                let set = self.sets.get(text(body, "ResourceArn")).ok_or(NOT_FOUND)?;
                let tags = set.tags.iter().map(|(key, value)| json!({"Key": key, "Value": value}));
                self.page("Tags", tags.collect(), body)
            }
            "TagResource" => {
                let set = self.sets.get_mut(text(body, "ResourceArn")).ok_or(NOT_FOUND)?;
                set.tags.extend(tags(body));
                Ok(json!({}))
            }
            "ListAccountAssignments" => self.assignments_in(body),
            "ListAccountAssignmentsForPrincipal" => self.assignments_of(body),
            "CreateAccountAssignment" => self.begin_assignment(body, true),
            "DeleteAccountAssignment" => self.begin_assignment(body, false),
            "DescribeAccountAssignmentCreationStatus" => {
                let id = text(body, "AccountAssignmentCreationRequestId");
                self.status("AccountAssignmentCreationStatus", id)
            }
            "DescribeAccountAssignmentDeletionStatus" => {
                let id = text(body, "AccountAssignmentDeletionRequestId");
                self.status("AccountAssignmentDeletionStatus", id)
            }
            "DescribePermissionSetProvisioningStatus" => {
                let id = text(body, "ProvisionPermissionSetRequestId");
                self.status("PermissionSetProvisioningStatus", id)
            }
            "ListAccountsForProvisionedPermissionSet" => self.accounts_of(set, body),
            "ProvisionPermissionSet" => self.begin_provisioning(set),
            "DeletePermissionSet" => {
                self.sets.get(set).ok_or(NOT_FOUND)?;
                if self.assignments.iter().any(|(_, assigned, ..)| assigned == set) {
                    return Err(CONFLICT);
                }
                self.sets.remove(set);
                Ok(json!({}))
            }
            _ => self.of_set(action, set, body),
        }
    }

    fn of_set(&mut self, action: &str, arn: &str, body: &Value) -> Result<Value, Refusal> {
        let found = self.sets.get(arn).cloned().ok_or(NOT_FOUND)?;
        let mut set = found.clone();
        let reference = &body["CustomerManagedPolicyReference"];
        let reference = (text(reference, "Path").to_owned(), text(reference, "Name").to_owned());
        let policy = text(body, "ManagedPolicyArn").to_owned();
        let reply = match action {
            "DescribePermissionSet" => json!({"PermissionSet": {
                "Name": set.name,
                "PermissionSetArn": arn,
                "Description": set.description,
                "SessionDuration": set.session,
                "RelayState": set.relay_state,
            }}),
            "UpdatePermissionSet" => {
                // What is not given is gone: the worst that AWS might do.
                set.description = body["Description"].as_str().map(str::to_owned);
                text(body, "SessionDuration").clone_into(&mut set.session);
                set.relay_state = body["RelayState"].as_str().map(str::to_owned);
                json!({})
            }
            "ListManagedPoliciesInPermissionSet" => {
                let policies = set.managed.iter().map(|arn| json!({"Arn": arn, "Name": "x"}));
                return self.page("AttachedManagedPolicies", policies.collect(), body);
            }
            "ListCustomerManagedPolicyReferencesInPermissionSet" => {
                let name = "CustomerManagedPolicyReferences";
                let all = set.referred.iter();
                let all = all.map(|(path, name)| json!({"Path": path, "Name": name}));
                return self.page(name, all.collect(), body);
            }
            "GetInlinePolicyForPermissionSet" => json!({"InlinePolicy": set.inline}),
            "GetPermissionsBoundaryForPermissionSet" => {
                json!({"PermissionsBoundary": set.boundary.clone().ok_or(NOT_FOUND)?})
            }
            "AttachManagedPolicyToPermissionSet" => {
                set.managed.insert(policy).then(|| json!({})).ok_or(CONFLICT)?
            }
            "DetachManagedPolicyFromPermissionSet" => {
                set.managed.remove(&policy).then(|| json!({})).ok_or(NOT_FOUND)?
            }
            "AttachCustomerManagedPolicyReferenceToPermissionSet" => {
                set.referred.insert(reference).then(|| json!({})).ok_or(CONFLICT)?
            }
            "DetachCustomerManagedPolicyReferenceFromPermissionSet" => {
                set.referred.remove(&reference).then(|| json!({})).ok_or(NOT_FOUND)?
            }
            "PutInlinePolicyToPermissionSet" => {
                text(body, "InlinePolicy").clone_into(&mut set.inline);
                json!({})
            }
            "DeleteInlinePolicyFromPermissionSet" => {
                set.inline.clear();
                json!({})
            }
            "PutPermissionsBoundaryToPermissionSet" => {
                set.boundary = Some(body["PermissionsBoundary"].clone());
                json!({})
            }
            "DeletePermissionsBoundaryFromPermissionSet" => {
                set.boundary.take().map(|_| json!({})).ok_or(NOT_FOUND)?
            }
            _ => return Err((400, "UnknownOperationException", None)),
        };
        if !["List", "Get", "Describe"].iter().any(|read| action.starts_with(read)) {
            set.version += 1;
            self.sets.insert(arn.to_owned(), set);
        }
        Ok(reply)
    }

    fn create_set(&mut self, body: &Value) -> Result<Value, Refusal> {
        let name = text(body, "Name").to_owned();
        let is_allowed = |one: char| one.is_ascii_alphanumeric() || "_+=,.@-".contains(one);
        let description = body.get("Description").and_then(Value::as_str);
        let is_latin =
            |one: char| matches!(one, '\t' | '\n' | '\r' | ' '..='~' | '\u{a1}'..='\u{ff}');
        if name.is_empty()
            || name.len() > 32
            || !name.chars().all(is_allowed)
            || description.is_some_and(|text| text.is_empty() || !text.chars().all(is_latin))
        {
            return Err(INVALID);
        }
        if self.sets.values().any(|set| set.name == name) {
            return Err(CONFLICT);
        }
        let id = self.new_id();
        let arn = format!("arn:aws:sso:::permissionSet/ssoins-1234567890abcdef/ps-{}", &id[..8]);
        let set = Set {
            name: name.clone(),
            description: description.map(str::to_owned),
            session: text(body, "SessionDuration").to_owned(),
            tags: tags(body),
            version: 1,
            ..Set::default()
        };
        self.sets.insert(arn.clone(), set);
        Ok(json!({"PermissionSet": {"Name": name, "PermissionSetArn": arn}}))
    }

    fn assignments_in(&self, body: &Value) -> Result<Value, Refusal> {
        let (account, set) = (text(body, "AccountId"), text(body, "PermissionSetArn"));
        self.sets.get(set).ok_or(NOT_FOUND)?;
        if self.behaviour.denied == Some(account) {
            return Err((400, "AccessDeniedException", None));
        }
        let found = self.assignments.iter().filter(|one| one.0 == account && one.1 == set);
        self.page("AccountAssignments", found.map(described).collect(), body)
    }

    /// Of users, what their groups have is listed as well.
    fn assignments_of(&self, body: &Value) -> Result<Value, Refusal> {
        let principal = text(body, "PrincipalId");
        let is_group_of =
            |group: &str| self.memberships.values().any(|one| one.0 == group && one.1 == principal);
        let found = self.assignments.iter();
        let found = found.filter(|(.., id)| id == principal || is_group_of(id));
        self.page("AccountAssignments", found.map(described).collect(), body)
    }

    fn accounts_of(&self, set: &str, body: &Value) -> Result<Value, Refusal> {
        let latest = self.sets.get(set).ok_or(NOT_FOUND)?.version;
        let wanted = body.get("ProvisioningStatus").and_then(Value::as_str);
        let accounts = self.provisioned.iter().filter(|((of, _), version)| {
            of == set
                && match wanted {
                    Some("LATEST_PERMISSION_SET_PROVISIONED") => **version == latest,
                    Some(_) => **version != latest,
                    None => true,
                }
        });
        let accounts = accounts.map(|((_, account), _)| account.clone().into());
        self.page("AccountIds", accounts.collect(), body)
    }

    fn begin_assignment(&mut self, body: &Value, assign: bool) -> Result<Value, Refusal> {
        let (set, account) = (text(body, "PermissionSetArn"), text(body, "TargetId"));
        let principal =
            (text(body, "PrincipalType").to_owned(), text(body, "PrincipalId").to_owned());
        self.sets.get(set).ok_or(NOT_FOUND)?;
        let is_there =
            self.users.contains_key(&principal.1) || self.groups.contains_key(&principal.1);
        if assign && !is_there {
            return Err(NOT_FOUND);
        }
        let owner = self.instances.first().map(|(_, owner)| owner.as_str());
        if owner == Some(account) && self.caller != account {
            return Err((400, "AccessDeniedException", None));
        }
        let under_way = || self.pending.values().filter(|one| one.status == "IN_PROGRESS");
        if under_way().any(|one| one.set == set && one.account.as_deref() == Some(account)) {
            return Err(CONFLICT);
        }
        if under_way().filter(|one| one.account.is_some()).count() >= OUTSTANDING {
            self.throttled += 1;
            return Err((400, "ThrottlingException", None));
        }
        let name = if assign {
            "AccountAssignmentCreationStatus"
        } else {
            "AccountAssignmentDeletionStatus"
        };
        let pending = Pending {
            account: Some(account.to_owned()),
            set: set.to_owned(),
            principal: Some(principal),
            assign,
            calls_left: self.behaviour.calls_to_end,
            status: "IN_PROGRESS",
            failure: self.behaviour.assignments_fail.map(str::to_owned),
        };
        self.begin(name, pending)
    }

    /// Why a set cannot be brought to the accounts, if so.
    fn lacks_policy(&self, set: &str) -> Option<String> {
        let refers = self.sets.get(set).is_some_and(|set| !set.referred.is_empty());
        let lacks = refers && self.behaviour.no_own_policies;
        lacks.then(|| "Received a 404 status error: Policy not found".to_owned())
    }

    fn begin_provisioning(&mut self, set: &str) -> Result<Value, Refusal> {
        self.sets.get(set).ok_or(NOT_FOUND)?;
        if self.pending.values().any(|one| one.status == "IN_PROGRESS" && one.set == set) {
            return Err(CONFLICT);
        }
        let pending = Pending {
            account: None,
            set: set.to_owned(),
            principal: None,
            assign: false,
            calls_left: self.behaviour.calls_to_end,
            status: "IN_PROGRESS",
            failure: self.lacks_policy(set),
        };
        self.begin("PermissionSetProvisioningStatus", pending)
    }

    fn begin(&mut self, name: &str, pending: Pending) -> Result<Value, Refusal> {
        let id = self.new_id();
        self.pending.insert(id.clone(), pending);
        self.status(name, &id)
    }

    fn status(&self, name: &str, id: &str) -> Result<Value, Refusal> {
        let pending = self.pending.get(id).ok_or(NOT_FOUND)?;
        let failure = pending.failure.as_ref().filter(|_| pending.status == "FAILED");
        Ok(json!({name: {
            "RequestId": id, "Status": pending.status, "FailureReason": failure,
        }}))
    }

    /// A call later: what is under way may have ended.
    pub(super) fn tick(&mut self) {
        if self.behaviour.never_ends {
            return;
        }
        let mut ended = Vec::new();
        for pending in self.pending.values_mut().filter(|one| one.status == "IN_PROGRESS") {
            pending.calls_left = pending.calls_left.saturating_sub(1);
            if pending.calls_left == 0 {
                pending.status = if pending.failure.is_some() { "FAILED" } else { "SUCCEEDED" };
                ended.push(pending.clone());
            }
        }
        for pending in ended.into_iter().filter(|one| one.status == "SUCCEEDED") {
            self.carry_out(pending);
        }
    }

    fn carry_out(&mut self, pending: Pending) {
        let Pending { account, set, principal, assign, .. } = pending;
        let latest = self.sets.get(&set).map_or(0, |set| set.version);
        let (Some(account), Some((kind, principal))) = (account, principal) else {
            let outdated = self.provisioned.iter_mut().filter(|((of, _), _)| *of == set);
            outdated.for_each(|(_, version)| *version = latest);
            return;
        };
        let one = (account.clone(), set.clone(), kind, principal);
        self.assignments.retain(|other| *other != one);
        if assign {
            self.assignments.push(one);
            self.provisioned.entry((set, account)).or_insert(latest);
        } else if !self.assignments.iter().any(|(other, of, ..)| *other == account && *of == set) {
            self.provisioned.remove(&(set, account));
        }
    }

    /// Somebody adds a permission set by hand.
    pub fn add_set(&mut self, name: &str) -> String {
        let body = json!({"InstanceArn": INSTANCE, "Name": name, "SessionDuration": "PT1H"});
        let made = self.create_set(&body).expect("a set that is allowed");
        text(&made["PermissionSet"], "PermissionSetArn").to_owned()
    }

    /// The ARN of a permission set there is.
    pub fn set_called(&self, name: &str) -> String {
        self.sets.iter().find(|(_, set)| set.name == name).expect("a set of that name").0.clone()
    }

    /// The managed policies of a permission set, AWS's and then those of accounts.
    pub fn managed(&self, name: &str) -> Vec<String> {
        let set = self.sets.get(&self.set_called(name)).expect("a set there is");
        let own = set.referred.iter().map(|(path, name)| format!("{path}{name}"));
        set.managed.iter().cloned().chain(own).collect()
    }

    /// The boundary of a permission set, as it was put.
    pub fn boundary(&self, name: &str) -> String {
        let set = self.sets.get(&self.set_called(name)).expect("a set there is");
        set.boundary.as_ref().map(Value::to_string).unwrap_or_default()
    }

    /// Somebody tags a permission set by hand.
    pub fn tag_set(&mut self, set: &str, key: &str, value: &str) {
        let set = self.sets.get_mut(set).expect("a permission set");
        set.tags.insert(key.to_owned(), value.to_owned());
    }

    /// Somebody attaches a policy by hand.
    pub fn attach(&mut self, set: &str, policy: &str) {
        let set = self.sets.get_mut(set).expect("a set there is");
        set.managed.insert(policy.to_owned());
        set.version += 1;
    }

    /// Somebody assigns a set by hand, which is done at once.
    pub fn assign(&mut self, account: &str, set: &str, kind: &str, principal: &str) {
        self.carry_out(Pending {
            account: Some(account.to_owned()),
            set: set.to_owned(),
            principal: Some((kind.to_owned(), principal.to_owned())),
            assign: true,
            calls_left: 0,
            status: "SUCCEEDED",
            failure: None,
        });
    }

    /// Somebody changes a set by hand, or was stopped before bringing a change to the accounts.
    pub fn outdate(&mut self, set: &str) {
        self.sets.get_mut(set).expect("a set there is").version += 1;
    }

    /// Whether every account has the latest version of a set.
    pub fn is_provisioned(&self, set: &str) -> bool {
        let latest = self.sets.get(set).map(|set| set.version);
        self.provisioned.iter().all(|((of, _), version)| of != set || Some(*version) == latest)
    }
}

fn described((account, set, kind, principal): &(String, String, String, String)) -> Value {
    json!({
        "AccountId": account,
        "PermissionSetArn": set,
        "PrincipalType": kind,
        "PrincipalId": principal,
    })
}

fn tags(body: &Value) -> BTreeMap<String, String> {
    let tags = body["Tags"].as_array().into_iter().flatten();
    tags.map(|tag| (text(tag, "Key").to_owned(), text(tag, "Value").to_owned())).collect()
}
