"""Signatures frozen from botocore 1.44.8, which signs for the AWS command line."""

import pytest

from agentcli.lib.errors import UserError
from agentcli.llm.sigv4 import Credentials, find_credentials, find_region, from_process, sign
from agentcli.llm.types import PreparedRequest

NOW = 1795639207.0
KEYS = ("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
JSON = {"content-type": "application/json"}
RUNTIME = "https://bedrock-runtime.us-east-1.amazonaws.com"
CASES = {
    "plain": (
        f"{RUNTIME}/model/global.anthropic.claude-sonnet-4-6/converse-stream",
        JSON,
        b'{"messages":[]}',
        "bedrock",
        "711d5bdac7dfb1b75f21ebbabdf71388b027e430e7d864d3b40c085aa3c0bbb3",
    ),
    "port, query": (
        "https://proxy.example.org:8443/aws/model/a%40b/converse-stream"
        "?b=2&a=%C3%A4%20x&a=1&empty=",
        JSON,
        b"",
        "bedrock-mantle",
        "efb06620f5e7fa1bce7914ff94ebb408bb25856b46d4821f7146c12b6dabe833",
    ),
    "no path, the scheme's own port": (
        "http://localhost:80",
        {},
        b"x",
        "bedrock",
        "9f98a21eb075274860ec2a4f5d7da41d317b5e197192f006b145cad83bd99949",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_signatures_are_those_of_aws_own_signer(name):
    url, headers, body, service, signature = CASES[name]
    request = PreparedRequest(url, headers, body)
    signed = sign(request, Credentials(*KEYS), "us-east-1", NOW, service=service)
    assert signed.headers["authorization"].endswith(f"Signature={signature}")
    assert (signed.url, signed.body) == (url, body)


def test_an_encoded_path_is_encoded_once_more_and_every_amazon_header_is_signed():
    url = (
        "https://bedrock-runtime.us-west-2.amazonaws.com/model/arn%3Aaws%3Abedrock%3Aus-west-2"
        "%3A123456789012%3Aapplication-inference-profile%2Fabc~1/invoke-with-response-stream"
    )
    headers = JSON | {"X-Amzn-Bedrock-Accept": "application/json", "user-agent": "agent"}
    signed = sign(PreparedRequest(url, headers, b"{}"), Credentials(*KEYS), "us-west-2", NOW)
    assert signed.headers["authorization"] == (
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261125/us-west-2/bedrock/aws4_request, "
        "SignedHeaders=content-type;host;x-amz-date;x-amzn-bedrock-accept, "
        "Signature=1e4ea46a8cb34d8bfbc9a9e415bdd19f947b7eb4dd3b9559c4945c68cc851827"
    )
    assert signed.headers["user-agent"] == "agent"


def test_temporary_keys_carry_their_session_token():
    url = (
        "https://bedrock-runtime.eu-central-1.amazonaws.com"
        "/model/us.anthropic.claude-opus-4-6-v1%3A0/converse-stream"
    )
    request = PreparedRequest(url, JSON, '{"x":"ä\u2028"}'.encode())
    keys = Credentials(*KEYS, "FwoGZXIvYXdzEXAMPLE==")
    headers = sign(request, keys, "eu-central-1", NOW).headers
    assert headers["x-amz-security-token"] == "FwoGZXIvYXdzEXAMPLE=="
    assert headers["x-amz-date"] == "20261125T204007Z"
    assert headers["authorization"].endswith(
        "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, "
        "Signature=9d68bc8f139a5b781f94995335c01dd3a656b1a0b9481c58404e0cc938422dca"
    )


def write(home, name, text):
    folder = home / ".aws"
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)


def test_keys_of_the_environment_go_before_the_files(home):
    write(home, "credentials", "[default]\naws_access_key_id=F\naws_secret_access_key=f\n")
    env = {"AWS_ACCESS_KEY_ID": "E", "AWS_SECRET_ACCESS_KEY": "e", "AWS_SESSION_TOKEN": "t"}
    assert find_credentials(env, home) == Credentials("E", "e", "t")
    assert find_credentials({"AWS_ACCESS_KEY_ID": "E"}, home) == Credentials("F", "f")


def test_a_profile_is_put_together_from_both_files(home):
    write(
        home,
        "credentials",
        "[default]\naws_access_key_id = D\naws_secret_access_key = d\n\n"
        "[work]\naws_access_key_id = W\naws_secret_access_key = a%b=c/+\naws_session_token = t\n",
    )
    write(
        home,
        "config",
        "[default]\nregion = eu-west-1\n\n[profile work]\nregion = us-west-2\ns3 =\n  x = 1\n",
    )
    work = {"AWS_PROFILE": "work"}
    assert find_credentials({}, home) == Credentials("D", "d")
    assert find_credentials(work, home) == Credentials("W", "a%b=c/+", "t")
    assert find_region({}, home) == "eu-west-1"
    assert find_region(work, home) == "us-west-2"
    assert find_region({"AWS_DEFAULT_PROFILE": "work"}, home) == "us-west-2"
    assert find_region(work | {"AWS_DEFAULT_REGION": "x"}, home) == "x"
    assert find_region(work | {"AWS_DEFAULT_REGION": "x", "AWS_REGION": "y"}, home) == "y"


def test_keys_may_stand_in_the_config_and_both_files_elsewhere(home, tmp_path):
    text = "[profile p]\naws_access_key_id=C\naws_secret_access_key=c\nregion=r\n"
    (home / "elsewhere").write_text(text)
    env = {"AWS_PROFILE": "p", "AWS_CONFIG_FILE": "~/elsewhere"}
    assert find_credentials(env, home) == Credentials("C", "c")
    (tmp_path / "keys").write_text("[p]\naws_access_key_id=K\naws_secret_access_key=k\n")
    env["AWS_SHARED_CREDENTIALS_FILE"] = str(tmp_path / "keys")
    assert find_credentials(env, home) == Credentials("K", "k")


def test_without_keys_there_are_none(home):
    assert find_credentials({}, home) is None
    assert find_region({}, home) is None
    write(home, "config", "[default]\nsso_session = corp\nregion = eu-west-1\n")
    assert find_credentials({"AWS_PROFILE": "nobody"}, home) is None
    assert find_credentials({}, home) is None


def test_a_file_that_is_no_aws_file_is_named(home):
    write(home, "credentials", "aws_access_key_id = A\n")
    with pytest.raises(UserError, match=r"\.aws/credentials cannot be read"):
        find_credentials({}, home)


def test_keys_as_the_aws_command_exports_them():
    text = '{"Version":1,"AccessKeyId":"A","SecretAccessKey":"s","SessionToken":"t"}'
    assert from_process(text) == Credentials("A", "s", "t")
    assert from_process('{"Version":1,"AccessKeyId":"A","SecretAccessKey":"s"}') == Credentials(
        "A", "s"
    )
    assert from_process("Error: no session") is None
    assert from_process("[]") is None
    assert from_process('{"Version":1}') is None
