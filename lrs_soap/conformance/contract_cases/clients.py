"""What a client made from the WSDL sees: zeep, with the service's own WSDL."""

from lrs_soap import client as clients
from lrs_soap.conformance import case

BOOK = case.Book(case.Part.CONTRACT)


def _client(talk, organisation: str = "main"):
    given = talk.target.organisations[organisation]
    return talk.session.client(
        organisation_ref=given.organisation_ref,
        ukprn=given.ukprn,
        org_password=given.org_password,
        user_name=talk.target.user_name,
        wsdl=talk.session.wsdl_url,
    )


def _seen(function):
    """A client's own exceptions are failures of the service."""

    def run(talk):
        try:
            with _client(talk) as service:
                function(talk, service)
        except clients.LrsServiceFault as fault:
            raise case.Failed(f"the client got the fault {fault.error_code}") from None
        except clients.LrsClientError as error:
            raise case.Failed(f"the client says: {error}") from None

    run.__doc__ = function.__doc__
    return run


@BOOK.case("zeep-reads-the-wsdl", "contract: WSDL")
@_seen
def reads(talk, service):
    """zeep makes a client of the service's WSDL, with all 13 operations"""


@BOOK.case("zeep-finds", "contract: learnerByDemographics", needs=("live",))
@_seen
def finds(talk, service):
    """zeep finds a known learner, with the values as they are stored"""
    known = talk.learner("live")
    reply = service.learner_by_demographics(
        known["FamilyName"], known["GivenName"], known["DateOfBirth"], known["Gender"], known["LastKnownPostCode"]
    )
    case.equal(reply.response_code, "WSRC0004", "the code")
    case.equal([learner.uln for learner in reply.learner], [known["ULN"]], "the ULN")


@BOOK.case("zeep-reads-lists", "contract: retrieveULNs", needs=("live", "plain"))
@_seen
def lists(talk, service):
    """zeep reads a reply with several learners"""
    wanted = [talk.learner("live")["ULN"], talk.learner("plain")["ULN"]]
    reply = service.retrieve_ulns(wanted)
    case.equal([row.uln for row in reply.retrieved_ulns.verified_uln], wanted, "the ULNs")


@BOOK.case("zeep-sees-the-declared-fault", "contract: WSDL, fault")
def fault(talk):
    """zeep sees a fault as the declared MIAPAPIException, with all five children"""
    try:
        with _client(talk) as service:
            service.learner_by_uln("0000000000", "Ann", "Ann")
    except clients.LrsServiceFault as found:
        case.equal(str(found.error_code), "WSEC0001", "the ErrorCode")
        case.require(found.error_actor and found.description and found.further_details and found.error_timestamp,
                     "a child of the exception is missing or empty")  # fmt: skip
    except clients.LrsClientError as error:
        raise case.Failed(f"the client says: {error}") from None
    else:
        raise case.Failed("there was no fault")
