"""moto's server, with what tests need and moto 5.2.5 does not do.

Run as `python3 moto_and_more.py -H 127.0.0.1 -p PORT`. Everything here is our reading of AWS's API
reference and not an independent peer: where it matters how AWS behaves, wire tests say so as well.
"""

import os
import pickle
import sys

from moto.core.authorization import ActionAuthenticatorMixin
from moto.core.exceptions import JsonRESTError, _RESTError
from moto.core.responses import ActionResult, EmptyResult
from moto.core.utils import utcnow
from moto.iam.exceptions import DeleteConflictException, EntityAlreadyExists
from moto.iam.exceptions import NotFoundException
from moto.iam.models import AccountSummary, IAMBackend, SAMLProvider, User
from moto.iam.models import VirtualMfaDevice, iam_backends
from moto.iam.responses import IamResponse
from moto.iam.utils import random_resource_id
from moto.moto_api._internal import urls


# Refusals of authorisation: the code is where AWS puts it, so that the SDKs find it.
AS_JSON = {
    "AccessDenied": "AccessDeniedException",
    "InvalidClientTokenId": "UnrecognizedClientException",
    "SignatureDoesNotMatch": "InvalidSignatureException",
}

plain_authorise = ActionAuthenticatorMixin._authenticate_and_authorize_action


def authorise(self, *arguments):
    try:
        plain_authorise(self, *arguments)
    except _RESTError as error:
        if self.headers.get("X-Amz-Target"):
            code = AS_JSON.get(error.error_type, error.error_type)
            raise JsonRESTError(code, error.message) from error
        error.description = (
            f"<ErrorResponse><Error><Type>Sender</Type><Code>{error.error_type}</Code>"
            f"<Message>{error.message}</Message></Error><RequestId>0</RequestId></ErrorResponse>"
        )
        raise


ActionAuthenticatorMixin._authenticate_and_authorize_action = authorise


# Renaming keeps the tags, and never overwrites somebody else.
def update_user(self, user_name, new_path=None, new_user_name=None):
    user = self.get_user(user_name)
    if new_user_name and new_user_name != user_name and new_user_name in self.users:
        raise EntityAlreadyExists(f"User {new_user_name} already exists")
    old = user.arn
    tags = self.tagger.list_tags_for_resource(old)["Tags"]
    self.tagger.delete_all_tags_for_resource(old)
    user.path = new_path or user.path
    if new_user_name and new_user_name != user_name:
        user.name = new_user_name
        self.users[new_user_name] = self.users.pop(user_name)
    self.tagger.tag_resource(user.arn, tags)


plain_update_group = IAMBackend.update_group


# A group's path may change without its name.
def update_group(self, group_name, new_group_name, new_path):
    if not new_group_name or new_group_name == group_name:
        self.get_group(group_name).path = new_path or self.get_group(group_name).path
    else:
        plain_update_group(self, group_name, new_group_name, new_path)


plain_delete_user = IAMBackend.delete_user
plain_delete_group = IAMBackend.delete_group


# Nothing is deleted that something still hangs on.
def delete_user(self, user_name):
    user = self.get_user(user_name)
    held = {
        "remove users from group": self.get_groups_for_user(user_name),
        "delete access keys": user.access_keys,
        "delete login profile": user.password,
        "deactivate MFA devices": user.mfa_devices,
        "delete SSH public keys": user.ssh_public_keys,
        "delete signing certificates": user.signing_certificates,
        "delete service-specific credentials": credentials_of(user),
    }
    for what, there in held.items():
        if there:
            raise DeleteConflictException(f"Cannot delete entity, must {what} first.")
    plain_delete_user(self, user_name)


def delete_group(self, group_name):
    group = self.get_group(group_name)
    if group.users or group.policies or group.managed_policies:
        raise DeleteConflictException("Cannot delete entity, must remove what it has first.")
    plain_delete_group(self, group_name)


for function in (update_user, update_group, delete_user, delete_group):
    setattr(IAMBackend, function.__name__, function)


# Boundaries of users.
plain_create_user = IamResponse.create_user


def create_user(self):
    reply = plain_create_user(self)
    user, arn = reply.result["User"], self._get_param("PermissionsBoundary")
    if arn:
        set_boundary(user, arn)
    return reply


def set_boundary(user, arn):
    user.permissions_boundary = arn and {
        "PermissionsBoundaryType": "PermissionsBoundaryPolicy",
        "PermissionsBoundaryArn": arn,
    }


def put_user_permissions_boundary(self):
    set_boundary(user_of(self), self._get_param("PermissionsBoundary"))
    return EmptyResult()


def delete_user_permissions_boundary(self):
    user = user_of(self)
    if not user.permissions_boundary:
        raise NotFoundException(f"No permissions boundary for {user.name}")
    set_boundary(user, None)
    return EmptyResult()


User.permissions_boundary = None


# Service-specific credentials.
def user_of(self):
    return self.backend.get_user(self._get_param("UserName"))


def credentials_of(user):
    return user.__dict__.setdefault("service_specific_credentials", {})


def one_credential(self):
    name = self._get_param("ServiceSpecificCredentialId")
    credentials = credentials_of(user_of(self))
    if name not in credentials:
        raise NotFoundException(f"No such credential {name} exists")
    return credentials, credentials[name]


def create_service_specific_credential(self):
    user = user_of(self)
    credential = {
        "CreateDate": utcnow(),
        "ServiceName": self._get_param("ServiceName"),
        "ServiceUserName": f"{user.name}-at-{user.account_id}",
        "ServiceSpecificCredentialId": "ACCA" + random_resource_id().upper()[:17],
        "UserName": user.name,
        "Status": "Active",
    }
    credentials_of(user)[credential["ServiceSpecificCredentialId"]] = credential
    return ActionResult(
        {"ServiceSpecificCredential": {**credential, "ServicePassword": "not-a-secret"}}
    )


def list_service_specific_credentials(self):
    credentials = list(credentials_of(user_of(self)).values())
    return ActionResult({"ServiceSpecificCredentials": credentials})


def update_service_specific_credential(self):
    one_credential(self)[1]["Status"] = self._get_param("Status")
    return EmptyResult()


def delete_service_specific_credential(self):
    credentials, credential = one_credential(self)
    del credentials[credential["ServiceSpecificCredentialId"]]
    return EmptyResult()


for function in (
    create_user,
    put_user_permissions_boundary,
    delete_user_permissions_boundary,
    create_service_specific_credential,
    list_service_specific_credentials,
    update_service_specific_credential,
    delete_service_specific_credential,
):
    setattr(IamResponse, function.__name__, function)


# Tags of MFA devices.
def device_of(self):
    name = self._get_param("SerialNumber")
    if name not in self.backend.virtual_mfa_devices:
        raise NotFoundException(f"VirtualMFADevice with serial number {name} doesn't exist.")
    return self.backend.virtual_mfa_devices[name]


def tag_mfa_device(self):
    device = device_of(self)
    device.kept_tags = {**device.kept_tags, **tagged(self)}
    return EmptyResult()


def list_mfa_device_tags(self):
    tags = [{"Key": key, "Value": value} for key, value in device_of(self).kept_tags.items()]
    return ActionResult({"Tags": tags, "IsTruncated": False})


VirtualMfaDevice.kept_tags = {}

for function in (tag_mfa_device, list_mfa_device_tags):
    setattr(IamResponse, function.__name__, function)


# Identity providers: tags of SAML providers, one provider per name, audiences one by one.
def tagged(self):
    return {tag["Key"]: tag["Value"] for tag in self._get_param("Tags", [])}


plain_create_saml_provider = IamResponse.create_saml_provider


def create_saml_provider(self):
    name = self._get_param("Name")
    if name in self.backend.saml_providers:
        raise EntityAlreadyExists(f"SAMLProvider {name} already exists")
    reply = plain_create_saml_provider(self)
    self.backend.saml_providers[name].kept_tags = tagged(self)
    return reply


def saml_provider_of(self):
    return self.backend.get_saml_provider(self._get_param("SAMLProviderArn"))


def get_saml_provider(self):
    provider = saml_provider_of(self)
    tags = [{"Key": key, "Value": value} for key, value in provider.kept_tags.items()]
    return ActionResult(
        {
            "SAMLMetadataDocument": provider.saml_metadata_document,
            "CreateDate": provider.create_date,
            "ValidUntil": provider.valid_until,
            "Tags": tags,
        }
    )


def tag_saml_provider(self):
    provider = saml_provider_of(self)
    provider.kept_tags = {**provider.kept_tags, **tagged(self)}
    return EmptyResult()


def issuer_of(self):
    return self.backend.get_open_id_connect_provider(
        self._get_param("OpenIDConnectProviderArn")
    )


def add_client_id_to_open_id_connect_provider(self):
    provider, audience = issuer_of(self), self._get_param("ClientID")
    provider.client_id_list = sorted({*provider.client_id_list, audience})
    return EmptyResult()


def remove_client_id_from_open_id_connect_provider(self):
    provider, audience = issuer_of(self), self._get_param("ClientID")
    provider.client_id_list = [one for one in provider.client_id_list if one != audience]
    return EmptyResult()


SAMLProvider.kept_tags = {}

for function in (
    create_saml_provider,
    get_saml_provider,
    tag_saml_provider,
    add_client_id_to_open_id_connect_provider,
    remove_client_id_from_open_id_connect_provider,
):
    setattr(IamResponse, function.__name__, function)


# An account whose groups have little room for policies, for tests that want several documents.
plain_summary = AccountSummary.__init__


def summary(self, backend):
    plain_summary(self, backend)
    size = os.environ.get("GROUP_POLICY_SIZE")
    self._group_policy_size_quota = int(size or self._group_policy_size_quota)


AccountSummary.__init__ = summary


# IAM as it is now, in all accounts; and back to that, a thousand times faster than by calls.
kept = {}


def keep(request, full_url, headers):
    kept.clear()
    for account, backends in iam_backends.items():
        kept[account] = {name: pickle.dumps(one) for name, one in backends.items()}
    return 200, {}, "{}"


def restore(request, full_url, headers):
    for account, backends in iam_backends.items():
        for name, backend in backends.items():
            was = kept.get(account, {}).get(name)
            if was:
                # The backend stays the same object: caches hold it.
                backend.__dict__ = pickle.loads(was).__dict__
            else:
                backend.reset()
    return 200, {}, "{}"


urls.url_paths["{0}/moto-api/keep"] = keep
urls.url_paths["{0}/moto-api/restore"] = restore


if __name__ == "__main__":
    from moto.server import main

    sys.exit(main())
