"""What is written in a figure."""


def words(labels):
    return [label.get_text() for label in labels]


def texts(figure):
    return words(figure.axes[0].texts)


def legend(figure):
    return [word for box in figure.legends for word in words(box.get_texts())]
