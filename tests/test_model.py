"""The dataclasses of the contract are what the generator would write now, and fit the contract."""

import dataclasses
import typing

import pytest

from lrs_soap import contract, model, modelgen


def test_the_model_is_current():
    assert modelgen.TARGET.read_text(encoding="utf-8") == modelgen.source()


def expected_hint(field):
    value = getattr(model, field.complex.name) if field.complex else str if field.simple.base == "string" else int
    if field.max_occurs != 1:
        return tuple[value, ...]
    return value | None if field.min_occurs == 0 or field.nillable else value


@pytest.mark.parametrize("name", contract.TYPES)
def test_each_complex_type_has_its_class(name):
    type_, class_ = contract.TYPES[name], getattr(model, name)
    fields = dataclasses.fields(class_)
    assert [row.name for row in fields] == [field.attribute for field in type_.fields]
    hints = typing.get_type_hints(class_)
    for row, field in zip(fields, type_.fields, strict=True):
        assert hints[row.name] == expected_hint(field), row.name
        default = dataclasses.MISSING if field.min_occurs else None if field.max_occurs == 1 else ()
        assert row.default == default, row.name
        assert row.kw_only
    assert not hasattr(class_.__new__(class_), "__dict__")


def test_values_cannot_be_changed():
    deleted = model.MIAPDeletedLearner(uln="9276308686", deleted_date="2008-03-01")
    with pytest.raises(dataclasses.FrozenInstanceError):
        deleted.uln = "1"
    assert deleted == model.MIAPDeletedLearner(deleted_date="2008-03-01", uln="9276308686")


def test_an_extension_is_also_what_it_extends():
    assert issubclass(model.LearnerToUpdate, model.LearnerToRegister)
    assert issubclass(model.OutputBatchLearner, model.BatchLearner)


def test_a_password_does_not_show():
    request = model.BatchOutputRqst(org_password="sandbox-password", user_name="M. Smith", job_id=7)
    assert "sandbox-password" not in repr(request)
    assert "job_id=7" in repr(request)


def test_no_class_shows_its_password():
    shown = [
        f"{name}.{row.name}"
        for name in contract.TYPES
        for row in dataclasses.fields(getattr(model, name))
        if "password" in row.name and row.repr
    ]
    assert shown == []
