# /slow tells that it has begun, and takes three seconds.
run(lambda do |env|
  if env["PATH_INFO"] == "/slow"
    File.write(File.join(ENV.fetch("STATE"), "started"), "")
    sleep 3
  end
  [200, {"Content-Type" => "text/plain"}, ["finished\n"]]
end)
