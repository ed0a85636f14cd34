"""The questions that law and ethics ask of research with photographs, and the verb that helps with each."""

from __future__ import annotations

GUIDE = """\
Photographs of people: questions to settle, best before the first one is collected.
No legal advice; law differs by place and changes. Ask your review board, data protection officer and library.
The article "Law and ethics" has the rules with their sources.

1 Consent
  Public is not agreed to. What can happen to the people shown if this is found, leaked or linked to their names?
  Collect what the question needs: sample_images. Publish no face without consent: blur_faces.
2 Terms of service
  What do the platform's terms of today allow, and do they ask to delete what its author deletes? Keep a copy of them.
3 Faces
  To measure a face in order to say whose it is makes biometric data: GDPR Art. 9; Illinois 740 ILCS 14, which wants
  written consent first; EU AI Act Art. 5, which forbids databases of faces from untargeted scraping.
  Counting needs no names: detect_faces. Names need a purpose, which is recorded: recognize_faces, enroll_people.
  Groups of faces without names single people out too: cluster_faces.
4 Copyright
  A copy to analyse is not a copy to publish: fair use (17 U.S.C. 107), text and data mining (Directive 2019/790 Art. 3
  and 4), UK section 29A.
5 Review board
  It wants to know what the data are. Filled in as far as they tell: data_statement. Think of the coders, too.
6 Metadata
  Files say when, where and with which telephone: strip_metadata.
7 Errors that fall on some
  Are rates of errors the same for all groups? audit_predictions. What is the model for, and what not? model_card.
8 Deletion
  Somebody wants to be taken out: the copies that people reposted (find_duplicates) and those without metadata or faces
  (strip_metadata, blur_faces), files and rows, enrolments (enroll_people, again without them), the cache (clear_cache),
  and the model, trained again without it (fine_tune).
9 Sharing
  Labels and shares in place of photographs: merge_predictions. Embeddings are no secret; those of faces identify.
"""
