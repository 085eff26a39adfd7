"""Forms are protected from other sites."""

WORKERS = 8
"""As many requests as reach every web worker."""


def test_a_program_leaves_a_form_protected(portal, desk):
    """Who comes with an API token needs no token of the form; everybody else still does."""
    token = {"Authorization": portal.token}
    for _ in range(WORKERS):
        assert portal.get("/dataset/new", headers=token).status_code == 200
    del desk.headers["X-CSRFToken"]
    answers = [desk.post(f"{portal.url}/dataset/new", data={}) for _ in range(WORKERS)]
    assert [answer.status_code for answer in answers] == [400] * WORKERS
