test_that("the report has R's rows and then Python's", {
  local_fake_python(doctor = fake_verb(function(arguments) doctor_row("GPU", "none", "note", "nothing to do")))
  rows <- rbind(doctor_r(), call_python(the$module$doctor$for_r, list(), NULL))
  expect_named(rows, c("item", "value", "status", "advice"))
  expect_true(all(rows$status %in% c("ok", "note", "problem")))
})

test_that("the report prints marks and advice", {
  rows <- rbind(
    doctor_row("R", "4.2.2"),
    doctor_row("GPU", "none", "note", "nothing to do"),
    doctor_row("Python", "missing", "problem", "install\nit")
  )
  expect_snapshot(print(structure(rows, class = c("imagesasdata_doctor", "data.frame"))))
})
