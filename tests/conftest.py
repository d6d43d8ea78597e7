import hypothesis

# A shared machine may take its time over an example.
hypothesis.settings.register_profile("patient", deadline=None, max_examples=50)
hypothesis.settings.load_profile("patient")
