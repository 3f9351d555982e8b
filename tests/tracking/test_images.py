import io

import pytest
from PIL import Image

from convscope.tracking.publishing import publish_stages


def png():
    """A picture of 2 x 2 pixels."""
    stream = io.BytesIO()
    Image.new("RGB", (2, 2), "red").save(stream, "PNG")
    return stream.getvalue()


def test_figures_are_images_once(project):
    for name in ("deepest", "maps"):
        project.write(f"reports/occlusion/{name}.png", png())
    publish_stages(project.root, ["occlusion"])
    run = project.run("occlusion")
    assert "mlflow.loggedImages" in run.data.tags
    images = project.artifacts(run, "images")
    pictures = sorted(path for path in images if path.endswith(".png"))
    named = [path.removeprefix("images/").split("+")[0] for path in pictures]
    assert named == ["occlusion~deepest", "occlusion~maps"]
    assert len(images) == 4  # each has a small one for the page
    publish_stages(project.root, ["occlusion"])
    assert project.artifacts(run, "images") == images


def test_an_upload_of_images_that_was_cut_short_is_gone_on_with(project, monkeypatch):
    for name in ("deepest", "maps"):
        project.write(f"reports/occlusion/{name}.png", png())
    client = type(project.store.client)
    with monkeypatch.context() as patch:
        log_image, calls = client.log_image, []

        def once(self, *arguments, **more):
            if calls:
                raise ConnectionResetError("gone")
            calls.append(more)
            log_image(self, *arguments, **more)

        patch.setattr(client, "log_image", once)
        with pytest.raises(ConnectionResetError):
            publish_stages(project.root, ["occlusion"])
    publish_stages(project.root, ["occlusion"])
    names = [
        path for path in project.artifacts(project.run("occlusion"), "images") if "webp" in path
    ]
    assert len(names) == 2
