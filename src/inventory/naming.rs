//! The names objects get at vendors. One implementation for the check and for what is done.

use crate::directory::DirectoryConfig;
use crate::model::{GroupName, Login, ObjectName, ServiceAccountName};

/// The user of a person.
pub fn user_name(directory: &DirectoryConfig, login: &Login) -> ObjectName {
    let name = directory.login_map.get(login).map_or(login.as_str(), String::as_str);
    ObjectName::from(format!("{}{name}", directory.name_prefix))
}

/// The group that stands for a group of a directory.
pub fn group_name(directory: &DirectoryConfig, group: &GroupName) -> ObjectName {
    let name = directory.group_map.get(group).map_or(group.as_str(), String::as_str);
    ObjectName::from(format!("{}{name}", directory.name_prefix))
}

/// The user of a service account.
pub fn service_user_name(service: &ServiceAccountName) -> ObjectName {
    ObjectName::from(service.as_str())
}

/// The group to which the role of a service account is attached.
pub fn service_group_name(service: &ServiceAccountName) -> ObjectName {
    ObjectName::from(format!("service-{service}"))
}
