"""What plugins are given cannot be changed, and still is what it was."""

from __future__ import annotations

import copy
import json
import pickle

import pytest

from nhirx.plugin.frozen import FrozenDict, frozen


def test_copy_is_equal_and_another(values):
    """Values of the model come as copies with the same content."""
    for value in (values.plan, values.prescription, values.record, values.facts):
        given = frozen(value)

        assert value == given
        assert value is not given


@pytest.mark.parametrize(
    "change",
    [
        lambda fields: fields.__setitem__("M07", "x"),
        lambda fields: fields.__delitem__("M07"),
        lambda fields: fields.update(M07="x"),
        lambda fields: fields.pop("M07"),
        lambda fields: fields.popitem(),
        lambda fields: fields.setdefault("M99", "x"),
        lambda fields: fields.clear(),
        lambda fields: fields.__ior__({"M07": "x"}),
    ],
)
def test_every_way_to_change_a_dictionary_is_closed(values, change):
    given = frozen(values.record)

    with pytest.raises(TypeError, match="frozen"):
        change(given.fields)
    assert values.record.fields == given.fields


def test_attribute_of_a_value_cannot_be_set(values):
    with pytest.raises(ValueError, match="frozen"):
        frozen(values.plan).ok = False


def test_dictionaries_inside_lists_are_frozen_too():
    given = frozen({"a": [{"b": 1}], "c": ({"d": 2},)})

    assert isinstance(given["a"][0], FrozenDict)
    assert isinstance(given["c"][0], FrozenDict)


def test_given_values_can_be_stored(values):
    """A plugin may write what it got as JSON, pickle it, or take a deep copy."""
    given = frozen(values.record)

    assert values.record.model_dump(mode="json") == given.model_dump(mode="json")
    assert values.record.fields == json.loads(json.dumps(given.fields))
    assert values.record.fields == pickle.loads(pickle.dumps(given.fields))
    assert values.record.fields == copy.deepcopy(given.fields)


def test_other_things_pass_as_they_are():
    thing = object()

    assert thing is frozen(thing)
    assert "text" == frozen("text")
