"""The wire format: our generated code is that of our .proto, and its numbers are LocalAI's."""

from pathlib import Path

import pytest
from google.protobuf.descriptor import Descriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet

from sim.live.proto import backend_pb2
from sim.live.proto.generate import generate


def test_the_generated_code_is_that_of_the_proto_file(tmp_path: Path) -> None:
    generate(f"--descriptor_set_out={tmp_path / 'set'}")
    (from_proto,) = FileDescriptorSet.FromString((tmp_path / "set").read_bytes()).file
    for message in from_proto.message_type:
        for part in (message, *message.nested_type):
            for field in part.field:
                field.ClearField("json_name")  # which the generated code leaves out

    from_code = FileDescriptorProto()
    backend_pb2.DESCRIPTOR.CopyToProto(from_code)

    assert from_code == from_proto


@pytest.mark.parametrize(
    ("message", "numbers"),
    [
        (backend_pb2.HealthMessage.DESCRIPTOR, {}),
        (
            backend_pb2.PredictOptions.DESCRIPTOR,
            {"Prompt": 1, "Tokens": 4, "CorrelationId": 47, "Metadata": 52, "ModelIdentity": 54},
        ),
        (
            backend_pb2.Reply.DESCRIPTOR,
            {
                "message": 1,
                "tokens": 2,
                "prompt_tokens": 3,
                "timing_prompt_processing": 4,
                "timing_token_generation": 5,
            },
        ),
        (backend_pb2.ModelOptions.DESCRIPTOR, {"Model": 1, "ContextSize": 2, "NBatch": 4}),
        (backend_pb2.Result.DESCRIPTOR, {"message": 1, "success": 2}),
        (backend_pb2.StatusResponse.DESCRIPTOR, {"state": 1, "memory": 2}),
    ],
    ids=lambda value: value.name if isinstance(value, Descriptor) else "",
)
def test_field_numbers_are_those_of_the_contract(message: Descriptor, numbers: dict[str, int]) -> None:
    assert {field.name: field.number for field in message.fields} == numbers


def test_the_methods_are_those_of_the_contract() -> None:
    service = backend_pb2.DESCRIPTOR.services_by_name["Backend"]

    streamed = {method.name: method.server_streaming for method in service.methods}

    assert service.full_name == "backend.Backend"
    assert streamed == {
        "Health": False,
        "Predict": False,
        "PredictStream": True,
        "LoadModel": False,
        "Free": False,
        "Status": False,
    }
    assert dict(backend_pb2.StatusResponse.State.items()) == {"UNINITIALIZED": 0, "BUSY": 1, "READY": 2, "ERROR": -1}
