"""A signpost in RDF: HealthDCAT-AP's words for data that is closed, on top of the DCAT-AP 3 of every dataset."""

from typing import Any

from ckanext.dcat.profiles import EuropeanHealthDCATAPProfile
from ckanext.dcat.profiles.euro_health_dcat_ap import DPV, HEALTHDCATAP
from ckanext.dcat.utils import resource_uri
from rdflib import Literal, URIRef

from ckanext.aizu_deep.description import DEEP

RESTRICTED = "http://publications.europa.eu/resource/authority/access-right/RESTRICTED"
_TEXTS = {
    "deep_purpose": DPV.hasPurpose,
    "deep_legal_ground": DPV.hasLegalBasis,
    "deep_people": HEALTHDCATAP.populationCoverage,
}


class SignpostProfile(EuropeanHealthDCATAPProfile):  # type: ignore[misc]  # ckanext-dcat has no types
    """The RDF profile `aizu_deep`; open datasets are those of `euro_dcat_ap_3`."""

    def graph_from_dataset(self, dataset_dict: dict[str, Any], dataset_ref: URIRef) -> None:
        """Adds a dataset to the graph."""
        resources = dataset_dict.get("resources", [])
        signpost = next((one for one in resources if one.get("url_type") == DEEP), None)
        if signpost is None:
            super(EuropeanHealthDCATAPProfile, self).graph_from_dataset(dataset_dict, dataset_ref)
            return
        super().graph_from_dataset({**dataset_dict, **_in_health_dcat(signpost)}, dataset_ref)
        for name, predicate in _TEXTS.items():
            for language, suffix in (("ja", ""), ("en", "_en")):
                self.g.add((dataset_ref, predicate, Literal(signpost[name + suffix], language)))


def _in_health_dcat(signpost: dict[str, Any]) -> dict[str, Any]:
    """What ckanext-dcat reads of a dataset; the way to its rows is the place that says how to ask."""
    kinds = {field.get("personal_data") for field in signpost["deep_fields"]} - {None, ""}
    return {
        "access_rights": RESTRICTED,
        "number_of_unique_individuals": signpost["deep_persons"],
        "personal_data": sorted(kinds),
        "health_category": signpost.get("deep_health_category") or [],
        "resources": [{**signpost, "access_url": f"{resource_uri(signpost)}#deep-ask"}],
    }
