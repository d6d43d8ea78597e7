from pathlib import Path

import pytest
from google.protobuf import text_format
from hypothesis import given
from hypothesis import strategies as st
from tritonclient.grpc import model_config_pb2

from bankai.errors import InvalidRequestError
from bankai.rollout import versions
from bankai.rollout.versions import digest, pointed, stage

PLAIN = '# Ours.\nname: "m"\nbackend: "onnxruntime"  # shared\ninput { name: "x" data_type: TYPE_FP32 dims: [ -1 ] }\n'
POLICIES = [
    "",
    "version_policy { latest { num_versions: 1 } }\n",
    "version_policy: { specific: { versions: [ 1, 3 ] } }\n",
    "version_policy {\n  all { }\n}\n",
    'parameters { key: "version_policy" value { string_value: "{" } }\n',
    "# version_policy as Triton has it\n",
]


@pytest.mark.parametrize("policy", POLICIES)
def test_the_pointer_replaces_every_policy_and_nothing_else(policy: str) -> None:
    text = pointed(PLAIN + policy, 7)
    wanted = text_format.Parse(PLAIN + policy, model_config_pb2.ModelConfig())
    wanted.version_policy.Clear()
    wanted.version_policy.specific.versions.append(7)
    assert text_format.Parse(text, model_config_pb2.ModelConfig()) == wanted
    assert text_format.Parse(pointed(text, 7), model_config_pb2.ModelConfig()) == wanted


@pytest.mark.parametrize("policy", POLICIES[:4])
def test_it_keeps_what_people_wrote(policy: str) -> None:
    assert pointed(policy + PLAIN, 7) == PLAIN + "version_policy { specific { versions: [ 7 ] } }\n"


@given(
    st.integers(1, 10**9),
    st.permutations([PLAIN, POLICIES[2], 'parameters { key: "a" value { string_value: "}" } }\n']),
)
def test_wherever_it_stands(version: int, parts: list[str]) -> None:
    parsed = text_format.Parse(pointed("".join(parts), version), model_config_pb2.ModelConfig())
    assert list(parsed.version_policy.specific.versions) == [version]
    assert parsed.parameters["a"].string_value == "}"


def test_the_digest_is_of_names_and_contents_and_not_of_the_reference(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1")
    (tmp_path / "b").write_text("2")
    first = digest(tmp_path)
    (tmp_path / "reference.json").write_text("{}")
    assert digest(tmp_path) == first
    (tmp_path / "b").rename(tmp_path / "c")
    assert digest(tmp_path) != first


def test_a_candidate_is_copied_readable_with_its_folders_and_over_an_earlier_try(tmp_path: Path) -> None:
    candidate, model = tmp_path / "candidate", tmp_path / "model"
    (candidate / "sub").mkdir(parents=True)
    (candidate / "sub" / "weights").write_text("w")
    (candidate / "link").symlink_to(candidate / "sub" / "weights")
    (candidate / "sub" / "weights").chmod(0o600)
    (model / ".incoming" / "left").mkdir(parents=True)
    staged = stage(candidate, model)
    assert sorted(str(file.relative_to(staged)) for file in staged.rglob("*")) == ["link", "sub", "sub/weights"]
    assert not (staged / "link").is_symlink()
    assert (staged / "sub" / "weights").stat().st_mode & 0o777 == 0o644
    versions.discard(staged)
    assert list(model.iterdir()) == []


def test_a_candidate_that_cannot_be_copied(tmp_path: Path) -> None:
    (tmp_path / "candidate").mkdir()
    (tmp_path / "candidate" / "link").symlink_to(tmp_path / "nowhere")
    (tmp_path / "model").mkdir()
    with pytest.raises(InvalidRequestError, match="cannot be copied"):
        stage(tmp_path / "candidate", tmp_path / "model")
    assert list((tmp_path / "model").iterdir()) == []
