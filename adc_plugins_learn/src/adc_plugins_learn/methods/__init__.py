"""Parts of methods against wrong labels that several learners share."""
