# /slow tells that it has begun, by one more byte in a file, and takes three seconds.
run(lambda do |env|
  if env["PATH_INFO"] == "/slow"
    File.write(File.join(ENV.fetch("STATE"), "started"), "1", mode: "a")
    sleep 3
  end
  [200, {"Content-Type" => "text/plain"}, ["finished\n"]]
end)
