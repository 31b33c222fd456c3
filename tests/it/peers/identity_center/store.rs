//! The identity store.

use serde_json::{Map, Value, json};

use super::{INVALID, NOT_FOUND, Refusal, STORE, State, text};

const TAKEN: Refusal = (400, "ConflictException", Some("UNIQUENESS_CONSTRAINT_VIOLATION"));
const CHANGED: Refusal = (400, "ConflictException", Some("CONCURRENT_MODIFICATION"));

impl State {
    pub(super) fn store(&mut self, action: &str, body: &Value) -> Result<Value, Refusal> {
        if text(body, "IdentityStoreId") != STORE {
            return Err(INVALID);
        }
        match action {
            "CreateUser" => self.create_user(body),
            "DescribeUser" => known(self.users.get(text(body, "UserId"))),
            "UpdateUser" => self.update_user(body),
            "DeleteUser" => self.delete_user(body),
            "ListUsers" => self.page("Users", self.users.values().cloned().collect(), body),
            "GetUserId" => {
                let user = by_name(self.users.values(), "UserName", "userName", body)?;
                Ok(json!({"UserId": user["UserId"], "IdentityStoreId": STORE}))
            }
            "CreateGroup" => self.create_group(body),
            "DescribeGroup" => known(self.groups.get(text(body, "GroupId"))),
            "UpdateGroup" => self.update_group(body),
            "DeleteGroup" => self.delete_group(body),
            "ListGroups" => self.page("Groups", self.groups.values().cloned().collect(), body),
            "GetGroupId" => {
                let group = by_name(self.groups.values(), "DisplayName", "displayName", body)?;
                Ok(json!({"GroupId": group["GroupId"], "IdentityStoreId": STORE}))
            }
            "CreateGroupMembership" => self.create_membership(body),
            "DeleteGroupMembership" => {
                let id = text(body, "MembershipId");
                self.memberships.remove(id).map(|_| json!({})).ok_or(NOT_FOUND)
            }
            "GetGroupMembershipId" => {
                let wanted = (text(body, "GroupId"), member(body));
                let found = self
                    .memberships
                    .iter()
                    .find(|(_, (group, user))| (&**group, &**user) == wanted);
                let (id, _) = found.ok_or(NOT_FOUND)?;
                Ok(json!({"MembershipId": id, "IdentityStoreId": STORE}))
            }
            "ListGroupMemberships" => {
                let group = text(body, "GroupId");
                known(self.groups.get(group))?;
                self.memberships_page(|one| one.0 == group, body)
            }
            "ListGroupMembershipsForMember" => {
                let user = member(body);
                known(self.users.get(user))?;
                self.memberships_page(|one| one.1 == user, body)
            }
            _ => Err((400, "UnknownOperationException", None)),
        }
    }

    fn memberships_page(
        &self,
        wanted: impl Fn(&(String, String)) -> bool,
        body: &Value,
    ) -> Result<Value, Refusal> {
        let items = self.memberships.iter().filter(|(_, one)| wanted(one)).map(|(id, one)| {
            json!({
                "IdentityStoreId": STORE,
                "MembershipId": id,
                "GroupId": one.0,
                "MemberId": {"UserId": one.1},
            })
        });
        self.page("GroupMemberships", items.collect(), body)
    }

    fn create_user(&mut self, body: &Value) -> Result<Value, Refusal> {
        let id = self.new_id();
        let mut user = body.clone();
        user["UserId"] = id.clone().into();
        user["Revision"] = "1".into();
        self.check_user(&id, &user)?;
        self.users.insert(id.clone(), user);
        Ok(json!({"UserId": id, "IdentityStoreId": STORE, "Revision": "1"}))
    }

    fn check_user(&self, id: &str, user: &Value) -> Result<(), Refusal> {
        let name = text(user, "UserName");
        let is_allowed = |one: char| !one.is_whitespace() && !one.is_control();
        let names = [text(&user["Name"], "GivenName"), text(&user["Name"], "FamilyName")];
        if name.is_empty()
            || name.chars().count() > 128
            || !name.chars().all(is_allowed)
            || text(user, "DisplayName").is_empty()
            || names.iter().any(|name| name.is_empty())
            || text(user, "UserType").chars().count() > 1024
        {
            return Err(INVALID);
        }
        let email = |user: &Value| user["Emails"][0]["Value"].as_str().map(str::to_lowercase);
        let clashes = self.users.iter().any(|(other_id, other)| {
            other_id != id
                && (text(other, "UserName").to_lowercase() == name.to_lowercase()
                    || (email(user).is_some() && email(other) == email(user)))
        });
        if clashes { Err(TAKEN) } else { Ok(()) }
    }

    fn update_user(&mut self, body: &Value) -> Result<Value, Refusal> {
        let id = text(body, "UserId").to_owned();
        let mut user = known(self.users.get(&id))?;
        check_revision(&user, body)?;
        for operation in body["Operations"].as_array().ok_or(INVALID)? {
            let value = operation.get("AttributeValue").filter(|value| !value.is_null());
            match text(operation, "AttributePath") {
                "userName" => put(&mut user, "UserName", value),
                "displayName" => put(&mut user, "DisplayName", value),
                "userType" => put(&mut user, "UserType", value),
                "name.givenName" => put(&mut user["Name"], "GivenName", value),
                "name.familyName" => put(&mut user["Name"], "FamilyName", value),
                "emails" => put(&mut user, "Emails", value.map(emails).as_ref()),
                _ => return Err(INVALID),
            }
        }
        self.check_user(&id, &user)?;
        let revision = next_revision(&mut user);
        self.users.insert(id.clone(), user);
        Ok(json!({"UserId": id, "IdentityStoreId": STORE, "Revision": revision}))
    }

    fn delete_user(&mut self, body: &Value) -> Result<Value, Refusal> {
        let id = text(body, "UserId");
        check_revision(&known(self.users.get(id))?, body)?;
        self.users.remove(id);
        // As AWS does: what hangs on it goes with it.
        self.memberships.retain(|_, (_, user)| user != id);
        self.assignments.retain(|(.., principal)| principal != id);
        Ok(json!({}))
    }

    fn create_group(&mut self, body: &Value) -> Result<Value, Refusal> {
        let id = self.new_id();
        let mut group = body.clone();
        group["GroupId"] = id.clone().into();
        group["Revision"] = "1".into();
        self.check_group(&id, &group)?;
        self.groups.insert(id.clone(), group);
        Ok(json!({"GroupId": id, "IdentityStoreId": STORE, "Revision": "1"}))
    }

    fn check_group(&self, id: &str, group: &Value) -> Result<(), Refusal> {
        let name = text(group, "DisplayName");
        let description = text(group, "Description").chars().count();
        if name.is_empty() || name.chars().count() > 1024 || description > 1024 {
            return Err(INVALID);
        }
        let clashes = self.groups.iter().any(|(other_id, other)| {
            other_id != id && text(other, "DisplayName").to_lowercase() == name.to_lowercase()
        });
        if clashes { Err(TAKEN) } else { Ok(()) }
    }

    fn update_group(&mut self, body: &Value) -> Result<Value, Refusal> {
        let id = text(body, "GroupId").to_owned();
        let mut group = known(self.groups.get(&id))?;
        check_revision(&group, body)?;
        for operation in body["Operations"].as_array().ok_or(INVALID)? {
            let value = operation.get("AttributeValue").filter(|value| !value.is_null());
            match text(operation, "AttributePath") {
                "displayName" => put(&mut group, "DisplayName", value),
                "description" => put(&mut group, "Description", value),
                _ => return Err(INVALID),
            }
        }
        self.check_group(&id, &group)?;
        let revision = next_revision(&mut group);
        self.groups.insert(id.clone(), group);
        Ok(json!({"GroupId": id, "IdentityStoreId": STORE, "Revision": revision}))
    }

    fn delete_group(&mut self, body: &Value) -> Result<Value, Refusal> {
        let id = text(body, "GroupId");
        check_revision(&known(self.groups.get(id))?, body)?;
        self.groups.remove(id);
        self.memberships.retain(|_, (group, _)| group != id);
        Ok(json!({}))
    }

    fn create_membership(&mut self, body: &Value) -> Result<Value, Refusal> {
        let (group, user) = (text(body, "GroupId").to_owned(), member(body).to_owned());
        known(self.groups.get(&group))?;
        known(self.users.get(&user))?;
        let pair = (group, user);
        if self.memberships.values().any(|one| *one == pair) {
            return Err(TAKEN);
        }
        let id = self.new_id();
        self.memberships.insert(id.clone(), pair);
        Ok(json!({"MembershipId": id, "IdentityStoreId": STORE}))
    }

    /// Somebody adds a user by hand: a whole one, as `CreateUser` takes it.
    pub fn add_user(&mut self, name: &str, more: &Value) -> String {
        let mut user = json!({
            "IdentityStoreId": STORE,
            "UserName": name,
            "DisplayName": name,
            "Name": {"GivenName": name, "FamilyName": "Hand"},
        });
        merge(&mut user, more);
        let made = self.create_user(&user).expect("a user that is allowed");
        text(&made, "UserId").to_owned()
    }

    /// Somebody adds a group by hand.
    pub fn add_group(&mut self, name: &str, more: &Value) -> String {
        let mut group = json!({"IdentityStoreId": STORE, "DisplayName": name});
        merge(&mut group, more);
        let made = self.create_group(&group).expect("a group that is allowed");
        text(&made, "GroupId").to_owned()
    }

    /// Somebody puts a user in a group by hand.
    pub fn join(&mut self, group: &str, user: &str) {
        let body = json!({"GroupId": group, "MemberId": {"UserId": user}});
        self.create_membership(&body).expect("a membership that is allowed");
    }

    /// Somebody changes a user by hand.
    pub fn edit_user(&mut self, id: &str, change: &Value) {
        let user = self.users.get_mut(id).expect("a user there is");
        merge(user, change);
        next_revision(user);
    }

    /// Forgets a user, as if it had never been.
    pub fn forget_user(&mut self, id: &str) {
        self.users.remove(id);
    }

    /// A user as it is stored.
    pub fn stored_user(&self, id: &str) -> Value {
        self.users.get(id).cloned().unwrap_or_default()
    }

    /// A group as it is stored.
    pub fn stored_group(&self, id: &str) -> Value {
        self.groups.get(id).cloned().unwrap_or_default()
    }
}

fn merge(value: &mut Value, more: &Value) {
    for (key, more) in more.as_object().into_iter().flatten() {
        value[key] = more.clone();
    }
}

fn put(object: &mut Value, key: &str, value: Option<&Value>) {
    if !object.is_object() {
        *object = Value::Object(Map::new());
    }
    match (object.as_object_mut(), value) {
        (Some(object), Some(value)) => {
            object.insert(key.to_owned(), value.clone());
        }
        (Some(object), None) => {
            object.remove(key);
        }
        (None, _) => {}
    }
}

/// Mail addresses as operations have them, as replies have them.
fn emails(value: &Value) -> Value {
    let emails = value.as_array().into_iter().flatten();
    let emails = emails.map(|email| {
        json!({"Value": email["value"], "Type": email["type"], "Primary": email["primary"]})
    });
    emails.collect()
}

fn known(found: Option<&Value>) -> Result<Value, Refusal> {
    found.cloned().ok_or(NOT_FOUND)
}

fn member(body: &Value) -> &str {
    body["MemberId"]["UserId"].as_str().unwrap_or_default()
}

fn check_revision(object: &Value, body: &Value) -> Result<(), Refusal> {
    match body.get("Revision").and_then(Value::as_str) {
        Some(revision) if revision != text(object, "Revision") => Err(CHANGED),
        _ => Ok(()),
    }
}

fn next_revision(object: &mut Value) -> String {
    let revision: u64 = text(object, "Revision").parse().unwrap_or_default();
    let revision = (revision + 1).to_string();
    object["Revision"] = revision.clone().into();
    revision
}

fn by_name<'a>(
    mut objects: impl Iterator<Item = &'a Value>,
    key: &str,
    path: &str,
    body: &Value,
) -> Result<&'a Value, Refusal> {
    let by = &body["AlternateIdentifier"]["UniqueAttribute"];
    if text(by, "AttributePath") != path {
        return Err(INVALID);
    }
    let name = text(by, "AttributeValue").to_lowercase();
    objects.find(|object| text(object, key).to_lowercase() == name).ok_or(NOT_FOUND)
}
